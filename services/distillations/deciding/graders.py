"""Each grader's part in a verdict: the models by one criterion alone, on the rows of the verdict.

In: the eval, the outcomes of teacher, baseline and distilled model, the rows that all three graded. Out: a `GraderPart`
for each criterion, whose p-values are Holm's over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from distillations.deciding.evidence import Evidence
from distillations.roles import ROLES, Role
from distillations.verdict_parts import GraderPart
from evals.eval import Eval
from evals.figures import pass_rate
from evals.gains import Gain, OutcomeByRow, gain_of_pairs, groups_of
from graders import GraderModel
from stats import holm

_SHOWN = 50
# As for slices: there may be many, and no outcome rests on one.
_DRAWS = 2_000


def grader_parts(
    eval_: Eval,
    runs: Mapping[Role, OutcomeByRow],
    evidence: Evidence,
    *,
    seed: int,
    group_by: str | None = None,
    check: Callable[[], None] = lambda: None,
) -> list[GraderPart]:
    """The first 50 criteria of the eval, in its order. An error of `check`, called for each, stops it."""
    rows = {criterion.id: _graded(criterion, runs, evidence.common) for criterion in eval_.testing_criteria}
    gains: dict[str, Gain] = {}
    for name, graded in rows.items():
        check()
        gains[name] = _gain(name, runs, graded, seed, group_by)
    adjusted = dict(zip(gains, holm([gain.p_value for gain in gains.values()]), strict=True))
    return [
        _part(criterion, runs, rows[criterion.id], gains[criterion.id], adjusted[criterion.id])
        for criterion in eval_.testing_criteria[:_SHOWN]
    ]


def _graded(criterion: GraderModel, runs: Mapping[Role, OutcomeByRow], common: Sequence[str]) -> list[str]:
    """The rows that it graded for all three models."""
    return [row for row in common if all(criterion.id in run[row].results for run in runs.values())]


def _gain(name: str, runs: Mapping[Role, OutcomeByRow], rows: Sequence[str], seed: int, group_by: str | None) -> Gain:
    distilled, baseline = runs["distilled"], runs["baseline"]
    pairs = [(distilled[row].results[name].passed, baseline[row].results[name].passed) for row in rows]
    return gain_of_pairs(pairs, seed=seed, groups=groups_of(rows, distilled, group_by), draws=_DRAWS)


def _part(
    criterion: GraderModel, runs: Mapping[Role, OutcomeByRow], rows: Sequence[str], gain: Gain, adjusted: float
) -> GraderPart:
    rates = {
        role: pass_rate(sum(runs[role][row].results[criterion.id].passed for row in rows), len(rows)) for role in ROLES
    }
    return GraderPart(
        testing_criteria=criterion.id,
        name=criterion.name,
        **rates,
        won=gain.counts.won,
        lost=gain.counts.lost,
        gain=gain.counts.gain,
        interval=gain.interval,
        adjusted_p_value=adjusted,
        finding=replace(gain, p_value=adjusted).finding,
    )
