"""A rollout as the API shows it: what it is, how each gate stands and by what, and what comes next.

In: the rollout and the sums of its rounds. Out: a document of figures that a person understands; nothing in it is
stored.
"""

from __future__ import annotations

from typing import Literal

from foundation.document import Document
from rollouts.gates import Gates
from rollouts.judging import GateFinding, judge
from rollouts.next_step import Known, waits_for
from rollouts.rollout import LeftOut, Rollout, RolloutEnd, RolloutPause, Status, Step
from rollouts.round import Tally, total
from rollouts.sums import Counted


class SideCounts(Document):
    """What one of the two models did in a stage."""

    answered_users: int
    """Of its answers, those that a user got."""
    errors: int
    failed: int
    malformed: int
    cost_usd: float
    """What its answers cost, whoever paid, as far as prices are known."""


class StageCounts(Document):
    """What was counted in a stage."""

    stage: int
    """Its number, from 0."""
    percent: int
    """The candidate's share of the calls; 0 is the shadow."""
    rounds: int
    open_rounds: int
    """Rounds whose runs have not ended."""
    pairs: int
    """Graded pairs."""
    worse: int
    """Of these, those in which the candidate failed and the stable model passed."""
    better: int
    """Those in which it was the other way round."""
    ungraded: int
    """Pairs of which an answer or a grade is missing."""
    stable: SideCounts
    candidate: SideCounts


class Summary(Document):
    """A rollout in a list. Times are in seconds since the epoch."""

    id: str
    object: Literal["rollout"] = "rollout"
    created_at: int
    alias: str
    alias_version: int
    """The version of the alias that it made last, or was begun with."""
    stable: str
    """The model that answered before."""
    candidate: str
    status: Status
    pause: RolloutPause | None
    """Why it is paused; null where it is not."""
    stage: int
    """The number of its stage, from 0."""
    percent: int
    """The share of the alias's calls without a `when` that the candidate answers now."""
    stages: list[int]
    """The candidate's share in percent, stage by stage."""
    eval_id: str
    online_eval_id: str
    """The eval that its pairs are graded by."""
    verdict_id: str | None
    distillation_id: str | None
    by: str
    """The id of the key that began it."""
    ended_at: int | None
    ended: RolloutEnd | None


class RolloutDocument(Summary):
    """A rollout with its evidence so far."""

    left_out: list[LeftOut]
    """The criteria of the eval that online grading does without."""
    share: float
    """Of the alias's captured completions, how many are graded."""
    gates: Gates
    min_pairs: int
    min_minutes: int
    no_data_minutes: int
    max_usd: float
    spent_usd: float
    """What second answers and judges have cost, of the rounds that have ended."""
    stage_since: int
    windows: int
    """How many windows were opened so far: the pairs since the beginning of each are judged by themselves."""
    findings: list[GateFinding]
    """How each gate with a limit stands."""
    counts: list[StageCounts]
    """What was counted in each stage so far."""
    next_percent: int | None
    """The candidate's share after the next step; null where it is promoted next, or has ended."""
    waits_for: str
    """What has to happen before the next step; empty once it has ended."""
    steps: list[Step]
    """Its newest steps, the oldest first."""


def summary(rollout: Rollout) -> Summary:
    """What a list shows."""
    return Summary(**_summary(rollout))


def document(rollout: Rollout, found: Counted, known: Known) -> RolloutDocument:
    """All that is known of a rollout."""
    own = ("left_out", "share", "gates", "min_pairs", "min_minutes", "no_data_minutes", "max_usd", "stage_since")
    return RolloutDocument(
        **_summary(rollout),
        **{name: getattr(rollout, name) for name in own},
        spent_usd=known.spent_usd,
        windows=rollout.window,
        findings=judge(rollout, known.tallies),
        counts=[_counts(rollout, found, stage) for stage in range(rollout.stage + 1)],
        next_percent=_next_percent(rollout),
        waits_for=waits_for(rollout, known),
        steps=[*rollout.steps, *([rollout.move] if rollout.move else [])],
    )


def _summary(rollout: Rollout) -> dict[str, object]:
    shown = {name: getattr(rollout, name) for name in Summary.model_fields if name != "percent"}
    return {**shown, "percent": _percent(rollout)}


def _percent(rollout: Rollout) -> int:
    """The candidate's share of the calls now."""
    return rollout.percent if rollout.is_open or rollout.status == "promoted" else 0


def _next_percent(rollout: Rollout) -> int | None:
    following = rollout.stages[rollout.stage + 1 :]
    return following[0] if rollout.is_open and following else None


def _counts(rollout: Rollout, found: Counted, stage: int) -> StageCounts:
    of_stage = [sum_ for sum_ in found.sums if sum_.stage == stage]
    open_rounds = sum(1 for round_ in found.open_rounds if round_.stage == stage)
    tally = total(of_stage)
    return StageCounts(
        stage=stage,
        percent=rollout.stages[stage],
        rounds=sum(sum_.rounds for sum_ in of_stage) + open_rounds,
        open_rounds=open_rounds,
        pairs=tally.quality.pairs,
        worse=tally.quality.worse,
        better=tally.quality.better,
        ungraded=tally.ungraded,
        stable=_side(tally, "stable"),
        candidate=_side(tally, "candidate"),
    )


def _side(tally: Tally, side: Literal["stable", "candidate"]) -> SideCounts:
    counted = getattr(tally, side)
    return SideCounts(
        answered_users=counted.users,
        errors=counted.errors,
        failed=counted.failed,
        malformed=counted.malformed,
        cost_usd=counted.cost_nanodollars / 1e9,
    )
