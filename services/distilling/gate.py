"""The gate before money: is there a gap to close, can these rows show it, does the budget reach?

In: a distillation with teacher and baseline measured. Out: the plan with its figures and the reasons to stop; without
reasons the training may start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from distillations.distillation import Distillation
from distillations.gate import Gate
from distillations.model_score import ModelScore
from distillations.plan import Plan
from distilling import budget, contenders
from evals.eval import Eval
from evals.gains import Score
from evals.one_answer import one_answer
from evals.outcomes import row_outcomes
from evals.run import Run
from stats import rows_needed

# A student that closes half the gap is worth its training, unless the caller expects another gain.
_SHARE_OF_GAP = 0.5


def judge(distillation: Distillation, teacher: Run, baseline: Run, prompted: Mapping[str, Run | None]) -> Plan:
    """The plan of a distillation whose teacher and baseline have been graded, and its contenders as far as they could.

    Of several students the baseline is the strongest before training.
    `prompted` has each contender's run by model, None for one that was deleted.
    """
    of_teacher, of_baseline = row_outcomes(teacher), row_outcomes(baseline)
    common = [
        row for row in of_teacher if row in of_baseline and not of_teacher[row].errored and not of_baseline[row].errored
    ]
    differing = sum(of_teacher[row].passed != of_baseline[row].passed for row in common)
    discordance = differing / len(common) if common else 0.0
    teacher_score = ModelScore.of(distillation.teacher, Score.of([of_teacher[row].passed for row in common]))
    baseline_score = ModelScore.of(baseline.model, Score.of([of_baseline[row].passed for row in common]))
    gate = distillation.gate
    expected = gate.expected_gain or (teacher_score.score - baseline_score.score) * _SHARE_OF_GAP
    cost = budget.judge(distillation)
    plan = Plan(
        teacher=teacher_score,
        baseline=baseline_score,
        teacher_answers=teacher.answers,
        rows=len(common),
        rows_needed=rows_needed(expected, discordance, power=gate.power, min_gain=gate.min_gain),
        discordance=discordance,
        expected_gain=expected,
        contenders=contenders.measured(
            prompted, distillation.contender_runs, teacher, {row: of_baseline[row] for row in common}
        ),
        estimated_cost_usd=cost.usd,
        warnings=_telling_nothing(distillation, teacher, baseline),
        teacher_terms=distillation.teacher_terms,
        reasons=[],
    )
    terms = distillation.teacher_terms
    return plan.model_copy(
        update={
            "reasons": [*_reasons(plan, gate), *cost.reasons, *(terms.reasons if terms else [])],
            "warnings": [*plan.warnings, *(terms.warnings if terms else [])],
        }
    )


def strongest(baselines: Sequence[Run]) -> Run:
    """The run of the student that passes most before training: the one that is hardest to improve on."""
    if len(baselines) == 1:
        return baselines[0]
    outcomes = {run.id: [outcome.passed for outcome in row_outcomes(run).values()] for run in baselines}
    return max(baselines, key=lambda run: sum(outcomes[run.id]))


def _telling_nothing(distillation: Distillation, teacher: Run, baseline: Run) -> list[str]:
    eval_ = Eval.find(distillation.eval_id)
    return one_answer(eval_, [teacher, baseline]) if eval_ else []


def _reasons(plan: Plan, gate: Gate) -> list[str]:
    """Why the figures speak against training."""
    reasons = []
    teacher, baseline = plan.teacher, plan.baseline
    if not plan.rows:
        return ["No test row was graded for both teacher and baseline: every row ended in an error."]
    if teacher.score <= baseline.score:
        reasons.append(
            f"The teacher {teacher.model} ({teacher.score:.1%}) is not above the baseline "
            f"{baseline.model} ({baseline.score:.1%}): there is no gap to close."
        )
        reasons += plan.warnings
    elif plan.rows_needed is None:
        reasons.append(
            f"The expected gain of {100 * plan.expected_gain:.1f} points is not above the minimum gain of "
            f"{100 * gate.min_gain:.1f} points: no number of rows can show it."
        )
    reasons += contenders.reasons(plan)
    if plan.rows_needed and plan.rows < plan.rows_needed:
        reasons.append(
            f"{plan.rows} test rows cannot carry the claim: to show a gain of "
            f"{100 * plan.expected_gain:.1f} points with {gate.power:.0%} power takes about {plan.rows_needed} "
            "rows, with models that differ as often as teacher and baseline here "
            f"({plan.discordance:.0%} of the rows)."
        )
    return reasons
