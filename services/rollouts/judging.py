"""What the graded pairs of a rollout say of its gates.

In: the rollout, and the sums of its rounds by window. Out: the finding of each gate that has a limit. From the
beginning of every window evidence is gathered anew, over all pairs since then: so a good past hides nothing that comes,
and a small difference is not forgotten. That since the k-th window may err with alpha / (k (k + 1)), and these add up
to less than alpha; the gates share it equally. A gate is breached once the evidence since any window suffices.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate
from typing import Literal, NamedTuple

from foundation.document import Document
from foundation.wording import counted
from rollouts.gates import DEARER_SHARE, SLOW_SHARE, GateName, Gates
from rollouts.rollout import Rollout
from rollouts.round import Differences, Tally
from stats.evidence import log_evidence, running_interval

type GateState = Literal["holds", "doubtful", "unknown", "breached"]

_NOTHING = Tally()


class GateFinding(Document):
    """How a gate stands by the pairs since the stage began, or since the window by which it is breached."""

    gate: GateName
    state: GateState
    """`breached`: more than chance, so the rollout goes back. `doubtful`: worse than allowed so far, but that may be
    chance. `unknown`: too few pairs. `holds`: within the limit so far."""
    window: int
    """The number of the window since which it counts, from 1."""
    pairs: int
    """What it rests on: pairs, or answers of the candidate."""
    stable: int | None
    """Of these, how often the stable model failed, or was malformed; null where the gate looks at the candidate
    alone."""
    candidate: int
    """The same of the candidate; its errors, slow answers, or pairs in which it cost more."""
    observed: float | None
    """What the limit is held against: a difference of shares, or a share; null without pairs."""
    limit: float
    interval: tuple[float, float]
    """Where the true value lies, whenever it is looked at. Once all of it is above the limit, the gate is breached."""
    confidence: float
    """Of this interval."""
    evidence: float
    """How far it is from rolling back, by the window that is nearest to it: 1 is breached, 0 or less is no sign of
    it."""
    sentence: str


class Measured(NamedTuple):
    """What a gate counts: how often each difference was seen, the limit of their mean, and what the figures are."""

    counts: Mapping[float, int]
    limit: float
    stable: int | None
    candidate: int

    def plus(self, other: Measured) -> Measured:
        """The sum of what was counted in two windows."""
        counts = {value: self.counts[value] + count for value, count in other.counts.items()}
        stable = None if self.stable is None or other.stable is None else self.stable + other.stable
        return Measured(counts, self.limit, stable, self.candidate + other.candidate)

    @property
    def number(self) -> int:
        return sum(self.counts.values())

    def of(self, noun: str) -> str:
        """How many there are, in words."""
        return counted(self.number, noun)

    @property
    def observed(self) -> float | None:
        """The mean difference; None where nothing was seen."""
        seen = math.fsum(value * count for value, count in self.counts.items())
        return seen / self.number if self.number else None


def alpha_of(number: int, gates: Gates) -> float:
    """The probability with which the window of this number, from 1, may roll back by chance."""
    return gates.alpha / (number * (number + 1))


class Standing(NamedTuple):
    """How a gate stands, by what was counted since a window: the first of the stage, or the one that breaches it."""

    state: GateState
    window: int
    seen: Measured
    evidence: float
    """The most of the evidence since any window, as a part of what suffices."""


def standings(rollout: Rollout, tallies: Mapping[int, Tally]) -> dict[GateName, Standing]:
    """How each gate with a limit stands. `tallies` has the sums of the windows by number."""
    return {gate: _standing(gate, rollout, tallies) for gate in gates_on(rollout.gates)}


def judge(rollout: Rollout, tallies: Mapping[int, Tally]) -> list[GateFinding]:
    """The same with the figures that people read."""
    return [_finding(gate, rollout, standing) for gate, standing in standings(rollout, tallies).items()]


def _standing(gate: GateName, rollout: Rollout, tallies: Mapping[int, Tally]) -> Standing:
    counted = [measured(gate, rollout.gates, tallies.get(number, _NOTHING)) for number in range(rollout.window, 0, -1)]
    since = [*accumulate(counted, Measured.plus)][::-1]  # What was counted since each window.
    evidence = [_evidence(seen, _alpha(rollout, number)) for number, seen in enumerate(since, start=1)]
    nearest = max(range(len(since)), key=lambda place: evidence[place])
    if evidence[nearest] >= 1.0:
        return Standing("breached", nearest + 1, since[nearest], evidence[nearest])
    first = _first_window(rollout)
    return Standing(_unbreached(since[first - 1], rollout.min_pairs), first, since[first - 1], evidence[nearest])


def _first_window(rollout: Rollout) -> int:
    """The number of the window with which the stage began, or was resumed."""
    own = (
        number
        for number, window in enumerate(rollout.windows, start=1)
        if window.stage == rollout.stage and window.since >= rollout.stage_since
    )
    return next(own, rollout.window)


def gates_on(gates: Gates) -> list[GateName]:
    """The gates that have a limit."""
    latency: list[GateName] = ["latency"] if gates.max_latency_p95_ms is not None else []
    cost: list[GateName] = ["cost"] if gates.max_cost_ratio is not None else []
    return ["quality", "errors", "malformed", *latency, *cost]


def measured(gate: GateName, gates: Gates, tally: Tally) -> Measured:
    """What this gate counts in a tally."""
    candidate = tally.candidate
    match gate:
        case "quality":
            failed = tally.stable.failed, candidate.failed
            return Measured(_paired(tally.quality), gates.quality_margin, *failed)
        case "malformed":
            malformed = tally.stable.malformed, candidate.malformed
            return Measured(_paired(tally.malformed), gates.malformed_margin, *malformed)
        case "errors":
            return _share(candidate.errors, candidate.asked, gates.max_error_rate)
        case "latency":
            return _share(candidate.slow, candidate.timed, SLOW_SHARE)
        case "cost":
            return _share(tally.dearer, tally.priced, DEARER_SHARE)


def _paired(differences: Differences) -> dict[float, int]:
    return {1.0: differences.worse, 0.0: differences.same, -1.0: differences.better}


def _share(count: int, of: int, limit: float) -> Measured:
    return Measured({1.0: count, 0.0: max(0, of - count)}, limit, None, count)


def _alpha(rollout: Rollout, number: int) -> float:
    """The probability with which one gate may err by the evidence since this window."""
    return rollout.windows[number - 1].alpha / len(gates_on(rollout.gates))


def _evidence(seen: Measured, alpha: float) -> float:
    """The evidence as a part of what suffices."""
    return log_evidence(seen.counts, seen.limit) / -math.log(alpha)


def _unbreached(seen: Measured, min_pairs: int) -> GateState:
    """The state of a gate that is not breached."""
    if seen.observed is None or seen.number < min_pairs:
        return "unknown"
    return "holds" if seen.observed <= seen.limit else "doubtful"


def _finding(gate: GateName, rollout: Rollout, standing: Standing) -> GateFinding:
    seen = standing.seen
    # Each side errs with half of what the confidence leaves: the lower end passes the limit just as it is breached.
    confidence = 1.0 - 2.0 * _alpha(rollout, standing.window)
    interval = running_interval(seen.counts, confidence)
    return GateFinding(
        gate=gate,
        state=standing.state,
        window=standing.window,
        pairs=seen.number,
        stable=seen.stable,
        candidate=seen.candidate,
        observed=seen.observed,
        limit=seen.limit,
        interval=(interval.low, interval.high),
        confidence=confidence,
        evidence=standing.evidence,
        sentence=_SENTENCES[gate](seen, rollout.gates),
    )


def _points(share: float | None) -> str:
    """A share in points, with its sign."""
    return "nothing" if share is None else f"{100 * share:+.1f} points"


def _percent(share: float | None) -> str:
    return "nothing" if share is None else f"{100 * share:.1f}%"


def _of_quality(seen: Measured, _: Gates) -> str:
    return (
        f"Of {seen.of('pair')} the candidate failed {seen.candidate}, the stable model {seen.stable}: "
        f"{_points(seen.observed)}, where {_points(seen.limit)} are allowed."
    )


def _of_malformed(seen: Measured, _: Gates) -> str:
    return (
        f"Of {seen.of('pair')} {seen.candidate} answers of the candidate were malformed, and {seen.stable} of the "
        f"stable model: {_points(seen.observed)}, where {_points(seen.limit)} are allowed."
    )


def _of_errors(seen: Measured, _: Gates) -> str:
    return (
        f"Of {seen.of('request')} the candidate did not answer {seen.candidate}: {_percent(seen.observed)}, where "
        f"{_percent(seen.limit)} are allowed."
    )


def _of_latency(seen: Measured, gates: Gates) -> str:
    return (
        f"Of {seen.of('answer')} of the candidate {seen.candidate} took more than {gates.max_latency_p95_ms} ms: "
        f"{_percent(seen.observed)}, where {_percent(seen.limit)} are allowed."
    )


def _of_cost(seen: Measured, gates: Gates) -> str:
    return (
        f"In {seen.candidate} of {seen.of('pair')} the candidate cost more than {gates.max_cost_ratio:g} times the "
        f"stable model: {_percent(seen.observed)}, where {_percent(seen.limit)} are allowed."
    )


_SENTENCES = {
    "quality": _of_quality,
    "errors": _of_errors,
    "malformed": _of_malformed,
    "latency": _of_latency,
    "cost": _of_cost,
}
