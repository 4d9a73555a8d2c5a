"""The tally of a round: what its runs say of each pair, summed.

In: a rollout, and a round of it. Out: the sums, None while a run is open. They follow from the runs alone, so that
whoever reckons them again gets the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from evals.counts import graded_chunks
from evals.run import Run
from foundation.ids import now
from providers.prices import cost_nanodollars
from rolling_out.answer import UNKNOWN, Answer, answers_of
from rollouts.gates import Gates
from rollouts.rollout import MOST_LOST, Rollout
from rollouts.round import Differences, RolloutRound, RoundRun, Side, SideTally, Tally

_MISSING_S = 3600
"""After so long a run that is not there is not waited for: it was never begun, or somebody has deleted it."""


class Call(NamedTuple):
    """One call: what a user got of which model, and what the other one answered; None where it was not asked."""

    id: str
    side: Side
    own: Answer
    other: Answer | None

    @property
    def is_refused_by_both(self) -> bool:
        """Whether neither model answers it: then its request is to blame, or the provider of both."""
        return self.own.answered is False and self.other is not None and not self.other.answered

    @property
    def by_side(self) -> dict[Side, Answer]:
        if self.is_refused_by_both:
            return {"stable": UNKNOWN, "candidate": UNKNOWN}
        other: Side = "candidate" if self.side == "stable" else "stable"
        return {self.side: self.own, other: self.other or UNKNOWN}


def tally_of(rollout: Rollout, round_: RolloutRound) -> Tally | None:
    """The sums of a round whose runs have ended; None while one has not."""
    runs = {part.run_id: run for part in round_.runs if (run := Run.find(part.run_id))}
    waits = rollout.is_open and now() - round_.begun_at < _MISSING_S
    if any(not run.ended for run in runs.values()) or (waits and len(runs) < len(round_.runs)):
        return None
    parts = [part for part in round_.runs if part.run_id in runs]
    calls = list(_calls(parts))
    return Tally(
        **_pairs(rollout.gates, calls),
        **{side: _side(side, calls, parts, rollout.gates) for side in ("stable", "candidate")},
        spent_nanodollars=_paid_nanodollars(round_, runs.values()),
    )


def _paid_nanodollars(round_: RolloutRound, runs: Iterable[Run]) -> int:
    """What the calls of a round cost, those of its judges among them; at least its estimate where that is not known.

    A provider may answer under a name that has no price, or not say what a call took: that must not be free, or the
    budget would never be spent.
    """
    costs = [cost_nanodollars([used]) for run in runs for used in run.paid()]
    known = sum(cost for cost in costs if cost is not None)
    return max(known, round_.expected_nanodollars) if None in costs else known


def _calls(parts: Iterable[RoundRun]) -> Iterable[Call]:
    """The calls of a round, each with both answers."""
    asked: dict[str, Answer] = {}
    got: dict[str, tuple[Side, Answer]] = {}
    for part in parts:
        answers = answers_of(part.run_id, sampled=part.sampled)
        if part.sampled:
            asked |= answers
        else:
            got |= {name: (part.side, answer) for name, answer in answers.items()}
    return (Call(name, side, own, asked.get(name)) for name, (side, own) in sorted(got.items()))


def _side(side: Side, calls: Iterable[Call], parts: Iterable[RoundRun], gates: Gates) -> SideTally:
    counts: dict[str, int] = defaultdict(int)
    for call in calls:
        answer = call.by_side[side]
        both = [*call.by_side.values()]
        counts["asked"] += answer.answered is not None
        counts["errors"] += answer.answered is False
        counts["users"] += call.side == side and answer.answered is True
        counts["failed"] += all(one.graded for one in both) and not answer.passed
        counts["malformed"] += all(one.answered for one in both) and answer.malformed
        counts["cost_nanodollars"] += answer.nanodollars or 0
    latencies = [
        latency
        for part in parts
        if part.side == side
        for chunk in graded_chunks(part.run_id)
        for latency in chunk.latencies_ms
    ]
    limit = gates.max_latency_p95_ms
    slow = 0 if limit is None else sum(latency > limit for latency in latencies)
    return SideTally(**counts, timed=len(latencies), slow=slow)


def _pairs(gates: Gates, calls: Iterable[Call]) -> Mapping[str, object]:
    quality, malformed = Differences(), Differences()
    counts: dict[str, int] = defaultdict(int)
    lost = []
    for call in calls:
        if call.other is None:
            continue
        stable, candidate = call.by_side["stable"], call.by_side["candidate"]
        if stable.answered and candidate.answered:
            malformed = malformed.plus(_difference(stable.malformed, candidate.malformed))
        if stable.graded and candidate.graded:
            quality = quality.plus(_difference(not stable.passed, not candidate.passed))
            if stable.passed and not candidate.passed:
                lost.append(call.id)
        counts["refused_by_both"] += call.is_refused_by_both
        counts["ungraded"] += not (stable.graded and candidate.graded)
        if stable.nanodollars is not None and candidate.nanodollars is not None:
            counts["priced"] += 1
            counts["dearer"] += _is_dearer(gates, stable.nanodollars, candidate.nanodollars)
    return {"quality": quality, "malformed": malformed, "lost": lost[:MOST_LOST], **counts}


def _difference(stable: bool, candidate: bool) -> Differences:
    return Differences(worse=candidate and not stable, same=candidate == stable, better=stable and not candidate)


def _is_dearer(gates: Gates, stable: int, candidate: int) -> bool:
    return gates.max_cost_ratio is not None and candidate > gates.max_cost_ratio * stable
