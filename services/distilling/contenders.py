"""What models that are only prompted measured before training, and whether one of them makes the training pointless.

In: the runs of a distillation. Out: a `Prompted` for each contender, and the gate's reasons.
"""

from __future__ import annotations

from collections.abc import Mapping

from distillations.contender import NO_ROW, Prompted, why_no_result
from distillations.model_score import ModelScore
from distillations.plan import Plan
from evals.call_costs import cost_ratio
from evals.gains import OutcomeByRow, Score
from evals.outcomes import row_outcomes
from evals.run import Run


def measured(
    runs: Mapping[str, Run | None], run_ids: Mapping[str, str], teacher: Run, compared: OutcomeByRow
) -> list[Prompted]:
    """Each contender on the rows of `compared`, which has the baseline's outcomes of rows that the teacher graded too.

    `runs` has each contender's run by model, None for one that was deleted; `run_ids` has their ids.
    """
    return [_measured(model, run_ids[model], run, teacher, compared) for model, run in runs.items()]


def reasons(plan: Plan) -> list[str]:
    """A sentence for each contender that does what training is expected to do, and costs less than the teacher.

    A contender without a known price counts as cheap.
    """
    return [
        _reason(contender.model, contender.score, contender.gain, contender.cost_ratio, plan.expected_gain)
        for contender in plan.contenders
        if contender.score and contender.gain is not None
        if contender.gain >= plan.expected_gain > 0
        if contender.cost_ratio is None or contender.cost_ratio < 1
    ]


def _measured(model: str, run_id: str, run: Run | None, teacher: Run, compared: OutcomeByRow) -> Prompted:
    without = Prompted(model=model, run_id=run_id, score=None, gain=None, cost_ratio=None)
    if run is None or run.status != "completed":
        return without.model_copy(update={"error": why_no_result(run)})
    outcomes = row_outcomes(run)
    rows = [row for row in compared if row in outcomes and not outcomes[row].errored]
    if not rows:
        return without.model_copy(update={"error": NO_ROW})
    score = Score.of([outcomes[row].passed for row in rows])
    baseline = Score.of([compared[row].passed for row in rows])
    return Prompted(
        model=model,
        run_id=run_id,
        score=ModelScore.of(model, score),
        gain=score.score - baseline.score,
        cost_ratio=cost_ratio(run, teacher),
    )


def _reason(model: str, score: ModelScore, gain: float, cost: float | None, expected: float) -> str:
    at_cost = "" if cost is None else f", at {cost:.3f} of the teacher's cost"
    return (
        f"{model} reaches {score.score:.1%} on {score.total} rows by prompting alone{at_cost}: {100 * gain:+.1f} "
        f"points over the baseline, where training is expected to bring {100 * expected:+.1f}. Use it as it is, or "
        "approve to train all the same."
    )
