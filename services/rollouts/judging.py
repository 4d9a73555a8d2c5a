"""What the graded pairs of a rollout say of its gates.

In: the limits, the windows, and the tallies of each window. Out: the finding of each gate that has a limit. Evidence is
reckoned window by window: the k-th may err with alpha / (k (k + 1)), and these add up to less than alpha; its gates
share that equally. A gate is breached once the evidence of any window suffices, whenever its last pairs come in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from foundation.document import Document
from rollouts.gates import DEARER_SHARE, SLOW_SHARE, GateName, Gates
from rollouts.rollout import Window
from rollouts.round import Differences, Tally
from stats.evidence import log_evidence, running_interval

type GateState = Literal["holds", "doubtful", "unknown", "breached"]


class GateFinding(Document):
    """How a gate stands by the pairs of a window."""

    gate: GateName
    state: GateState
    """`breached`: more than chance, so the rollout goes back. `doubtful`: worse than allowed so far, but that may be
    chance. `unknown`: too few pairs. `holds`: within the limit so far."""
    window: int
    """The number of the window that it speaks of, from 1."""
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
    """How far it is from rolling back: 1 is breached, 0 or less is no sign of it."""
    sentence: str


class Measured(NamedTuple):
    """What a gate counts: how often each difference was seen, the limit of their mean, and what the figures are."""

    counts: Mapping[float, int]
    limit: float
    stable: int | None
    candidate: int

    @property
    def number(self) -> int:
        return sum(self.counts.values())

    @property
    def observed(self) -> float | None:
        """The mean difference; None where nothing was seen."""
        seen = math.fsum(value * count for value, count in self.counts.items())
        return seen / self.number if self.number else None


def alpha_of(number: int, gates: Gates) -> float:
    """The probability with which the window of this number, from 1, may roll back by chance."""
    return gates.alpha / (number * (number + 1))


class Standing(NamedTuple):
    """How a gate stands, and in which window: the current one, or the first that breaches it."""

    state: GateState
    window: int


def standings(
    gates: Gates, windows: Sequence[Window], tallies: Mapping[int, Tally], min_pairs: int
) -> dict[GateName, Standing]:
    """How each gate with a limit stands. `tallies` has the sums of the windows by number."""
    current = len(windows)
    found = {}
    for gate in gates_on(gates):
        breaching = (number for number in sorted(tallies) if _is_breached(gate, gates, windows, tallies, number))
        number = next(breaching, None)
        seen = measured(gate, gates, tallies.get(current, Tally()))
        found[gate] = Standing("breached", number) if number else Standing(_unbreached(seen, min_pairs), current)
    return found


def judge(gates: Gates, windows: Sequence[Window], tallies: Mapping[int, Tally], min_pairs: int) -> list[GateFinding]:
    """The same with the figures that people read."""
    found = standings(gates, windows, tallies, min_pairs)
    return [
        _finding(gate, standing, gates, tallies.get(standing.window, Tally()), _alpha(gates, windows, standing.window))
        for gate, standing in found.items()
    ]


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


def _alpha(gates: Gates, windows: Sequence[Window], number: int) -> float:
    """The probability with which one gate may err in this window."""
    return windows[number - 1].alpha / len(gates_on(gates))


def _is_breached(
    gate: GateName, gates: Gates, windows: Sequence[Window], tallies: Mapping[int, Tally], number: int
) -> bool:
    return _evidence(measured(gate, gates, tallies[number]), _alpha(gates, windows, number)) >= 1.0


def _evidence(seen: Measured, alpha: float) -> float:
    """The evidence as a part of what suffices."""
    return log_evidence(seen.counts, seen.limit) / -math.log(alpha)


def _unbreached(seen: Measured, min_pairs: int) -> GateState:
    """The state of a gate that is not breached."""
    if seen.observed is None or seen.number < min_pairs:
        return "unknown"
    return "holds" if seen.observed <= seen.limit else "doubtful"


def _finding(gate: GateName, standing: Standing, gates: Gates, tally: Tally, alpha: float) -> GateFinding:
    seen = measured(gate, gates, tally)
    # Each side errs with half of what the confidence leaves: the lower end passes the limit just as it is breached.
    confidence = 1.0 - 2.0 * alpha
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
        evidence=_evidence(seen, alpha),
        sentence=_SENTENCES[gate](seen, gates),
    )


def _points(share: float | None) -> str:
    """A share in points, with its sign."""
    return "nothing" if share is None else f"{100 * share:+.1f} points"


def _percent(share: float | None) -> str:
    return "nothing" if share is None else f"{100 * share:.1f}%"


def _of_quality(seen: Measured, _: Gates) -> str:
    return (
        f"Of {seen.number} pairs the candidate failed {seen.candidate}, the stable model {seen.stable}: "
        f"{_points(seen.observed)}, where {_points(seen.limit)} are allowed."
    )


def _of_malformed(seen: Measured, _: Gates) -> str:
    return (
        f"Of {seen.number} pairs {seen.candidate} answers of the candidate were malformed, and {seen.stable} of the "
        f"stable model: {_points(seen.observed)}, where {_points(seen.limit)} are allowed."
    )


def _of_errors(seen: Measured, _: Gates) -> str:
    return (
        f"Of {seen.number} requests the candidate did not answer {seen.candidate}: {_percent(seen.observed)}, where "
        f"{_percent(seen.limit)} are allowed."
    )


def _of_latency(seen: Measured, gates: Gates) -> str:
    return (
        f"Of {seen.number} answers of the candidate {seen.candidate} took more than {gates.max_latency_p95_ms} ms: "
        f"{_percent(seen.observed)}, where {_percent(seen.limit)} are allowed."
    )


def _of_cost(seen: Measured, gates: Gates) -> str:
    return (
        f"In {seen.candidate} of {seen.number} pairs the candidate cost more than {gates.max_cost_ratio:g} times the "
        f"stable model: {_percent(seen.observed)}, where {_percent(seen.limit)} are allowed."
    )


_SENTENCES = {
    "quality": _of_quality,
    "errors": _of_errors,
    "malformed": _of_malformed,
    "latency": _of_latency,
    "cost": _of_cost,
}
