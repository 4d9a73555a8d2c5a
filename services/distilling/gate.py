"""The gate before money: is there a gap to close, can these rows show it, does the budget reach?

In: a distillation with teacher and baseline measured. Out: the plan with its figures and the reasons to stop, none if
it may go on.
"""

from __future__ import annotations

from typing import Any

from distillations.distillation import Distillation, Gate
from distilling import budget
from evals.outcomes import Outcome, outcomes
from evals.run import Run
from stats import rows_needed, wilson

# Without a wish of the user's: a student that closes half the gap is worth its training.
_SHARE_OF_GAP = 0.5


def judge(distillation: Distillation, teacher: Run, baseline: Run) -> dict[str, Any]:
    """The plan of a distillation."""
    of_teacher, of_baseline = outcomes(teacher), outcomes(baseline)
    common = [
        row for row in of_teacher if row in of_baseline and not of_teacher[row].errored and not of_baseline[row].errored
    ]
    rows = len(common)
    differing = sum(of_teacher[row].passed != of_baseline[row].passed for row in common)
    discordance = differing / rows if rows else 0.0
    measured = {
        "teacher": _measured(distillation.teacher, [of_teacher[row] for row in common]),
        "baseline": _measured(distillation.student, [of_baseline[row] for row in common]),
    }
    gate = distillation.gate
    gap = measured["teacher"]["score"] - measured["baseline"]["score"]
    expected = gate.expected_gain or gap * _SHARE_OF_GAP
    needed = rows_needed(expected, discordance, power=gate.power, min_gain=gate.min_gain)
    plan: dict[str, Any] = {
        **measured,
        "teacher_answers": "sampled" if getattr(teacher.data_source, "model", None) else "stored",
        "rows": rows,
        "rows_needed": needed,
        "discordance": discordance,
        "expected_gain": expected,
        "approved_at": None,
        "estimated_cost_usd": None,
    }
    cost = budget.judge(distillation)
    return {**plan, "estimated_cost_usd": cost.usd, "reasons": [*_reasons(plan, gate), *cost.reasons]}


def _measured(model: str, found: list[Outcome]) -> dict[str, Any]:
    passed, total = sum(outcome.passed for outcome in found), len(found)
    return {
        "model": model,
        "passed": passed,
        "total": total,
        "score": passed / total if total else 0.0,
        "interval": list(wilson(passed, total)),
    }


def _reasons(plan: dict[str, Any], gate: Gate) -> list[str]:
    reasons = []
    teacher, baseline = plan["teacher"], plan["baseline"]
    if not plan["rows"]:
        return ["No test row was graded for both teacher and baseline: every row ended in an error."]
    if teacher["score"] <= baseline["score"]:
        reasons.append(
            f"The teacher {teacher['model']} ({teacher['score']:.1%}) is not above the baseline "
            f"{baseline['model']} ({baseline['score']:.1%}): there is no gap to close."
        )
    elif plan["rows_needed"] is None:
        reasons.append(
            f"The expected gain of {100 * plan['expected_gain']:.1f} points is not above the minimum gain of "
            f"{100 * gate.min_gain:.1f} points: no number of rows can show it."
        )
    if plan["rows_needed"] and plan["rows"] < plan["rows_needed"]:
        reasons.append(
            f"{plan['rows']} test rows cannot carry the claim: to show a gain of "
            f"{100 * plan['expected_gain']:.1f} points with {gate.power:.0%} power takes about {plan['rows_needed']} "
            "rows, with models that differ as often as teacher and baseline here "
            f"({plan['discordance']:.0%} of the rows)."
        )
    return reasons
