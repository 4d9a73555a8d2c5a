"""The distilled model beside the models that were only prompted, row by row.

In: a distillation and the distilled model's outcomes. Out: an `AgainstContender` for each contender, and whether the
distilled model beats them all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from distillations.contender import NO_ROW, AgainstContender, why_no_result
from distillations.distillation import Distillation
from distillations.model_score import ModelScore
from evals.call_costs import call_figures, cost_ratio, mean_latency_ms
from evals.gains import ONE_SIDED, OutcomeByRow, Score, gain_of_pairs, groups_of
from evals.outcomes import row_outcomes
from evals.run import Run


def against_contenders(
    distillation: Distillation, teacher: Run, distilled: OutcomeByRow, *, check: Callable[[], None] = lambda: None
) -> list[AgainstContender]:
    """The distilled model beside each contender, in the order of the distillation. An error of `check` stops it."""
    return [_against(distillation, model, teacher, distilled, check) for model in distillation.contenders]


def beats_all(contenders: Sequence[AgainstContender]) -> bool | None:
    """Whether the distilled model is better than each of them; None without contenders."""
    return all(contender.finding == "better" for contender in contenders) if contenders else None


def _against(
    distillation: Distillation, model: str, teacher: Run, distilled: OutcomeByRow, check: Callable[[], None]
) -> AgainstContender:
    check()
    run = Run.find(distillation.contender_run_id(model))
    result = AgainstContender(
        model=model,
        run_id=distillation.contender_run_id(model),
        score=None,
        gain=None,
        interval=None,
        p_value=None,
        finding=None,
        does_as_well=False,
        cost_ratio=cost_ratio(run, teacher) if run else None,
        latency_ms=mean_latency_ms(run) if run else None,
        calls=call_figures(run) if run else None,
    )
    if run is None or run.status != "completed":
        return result.model_copy(update={"error": why_no_result(run)})
    prompted = row_outcomes(run, each_chunk=check)
    rows = [row for row in distilled if row in prompted and not (distilled[row].errored or prompted[row].errored)]
    if not rows:
        return result.model_copy(update={"error": NO_ROW})
    return result.model_copy(update=_compared(distillation, model, rows, distilled, prompted))


def _compared(
    distillation: Distillation, model: str, rows: Sequence[str], distilled: OutcomeByRow, prompted: OutcomeByRow
) -> dict[str, object]:
    """The figures over the rows that both graded."""
    seed, gate = distillation.seed, distillation.gate
    groups = groups_of(rows, distilled, gate.group_by)
    pairs = [(distilled[row].passed, prompted[row].passed) for row in rows]
    gain = gain_of_pairs(pairs, seed=seed, groups=groups)
    one_sided = gain_of_pairs(pairs, seed=seed, groups=groups, confidence=ONE_SIDED).interval
    return {
        "score": ModelScore.of(model, Score.of([passed for _, passed in pairs])),
        "gain": gain.counts.gain,
        "interval": gain.interval,
        "p_value": gain.p_value,
        "finding": gain.finding,
        "does_as_well": one_sided is not None and one_sided.high < gate.margin,
    }
