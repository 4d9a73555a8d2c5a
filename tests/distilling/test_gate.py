"""The gate before money: its figures, and its reasons to stop."""

from __future__ import annotations

from typing import Any

import pytest

from distillations.dataset import DatasetId
from distillations.distillation import Distillation
from distillations.plan import Plan
from distilling import budget, gate
from evals.data_sources import CompletionsSource, FileId
from providers.terms import TeacherTerms
from stats import rows_needed, wilson
from tests.distilling import build
from tests.flow.system import System


def judged(teacher: str, baseline: str, *, number: int = 1, **asked: Any) -> Plan:
    distillation = build.distillation("measuring", number=number, gate=asked)
    return gate.judge(
        distillation,
        build.graded(distillation, "teacher", teacher),
        build.graded(distillation, "baseline", baseline),
        {},
    )


def test_the_figures_are_those_of_the_rows_that_both_graded(system: System) -> None:  # noqa: ARG001
    # teacher  p p p p f e p     of the six rows without an error of the teacher, one has one of the baseline's
    # baseline p f f f p p e
    plan = judged("ppppfep", "pfffppe")

    assert plan.rows == 5
    assert plan.teacher.model_dump(mode="json") == {
        "model": build.TEACHER,
        "passed": 4,
        "total": 5,
        "score": 0.8,
        "interval": list(wilson(4, 5)),
    }
    assert (plan.baseline.passed, plan.baseline.model) == (2, build.STUDENT)
    assert plan.discordance == pytest.approx(4 / 5)
    assert plan.expected_gain == pytest.approx(0.2)
    assert plan.rows_needed == rows_needed(0.2, 0.8)
    assert (plan.approved_at, plan.estimated_cost_usd, plan.teacher_answers) == (None, None, "stored")


def test_a_truncated_answer_is_a_fail(system: System) -> None:  # noqa: ARG001
    assert judged("ppt", "fff").teacher.passed == 2


def test_a_teacher_sampled_again_is_said(system: System) -> None:  # noqa: ARG001
    distillation = build.distillation("measuring")
    teacher, baseline = build.graded(distillation, "teacher", "pp"), build.graded(distillation, "baseline", "ff")
    file = FileId(type="file_id", id="f")
    teacher.data_source = CompletionsSource(type="completions", source=file, model=build.TEACHER)
    assert gate.judge(distillation, teacher, baseline, {}).teacher_answers == "sampled"


@pytest.mark.parametrize(("says", "stops", "warns"), [("yes", 0, 0), ("no", 1, 0), ("unknown", 0, 1)])
def test_terms_that_forbid_it_stop_and_those_that_nobody_noted_are_told(
    system: System,  # noqa: ARG001
    says: Any,
    stops: int,
    warns: int,
) -> None:
    distillation = build.distillation("measuring")
    teacher, baseline = (
        build.graded(distillation, "teacher", "p" * 30),
        build.graded(distillation, "baseline", "f" * 30),
    )
    distillation.teacher_terms = None
    plain = gate.judge(distillation, teacher, baseline, {})
    distillation.teacher_terms = TeacherTerms(provider="alpha", trains_others=says, note="See section 3.")
    plan = gate.judge(distillation, teacher, baseline, {})
    more = plan.reasons[len(plain.reasons) :], plan.warnings[len(plain.warnings) :]
    assert plan.teacher_terms == distillation.teacher_terms
    assert tuple(map(len, more)) == (stops, warns)
    assert all("alpha" in sentence and sentence.endswith("See section 3.") for some in more for sentence in some)


def test_a_teacher_not_above_the_baseline_is_a_reason(system: System) -> None:  # noqa: ARG001
    for number, (teacher, baseline) in enumerate([("pfpf" * 10, "fpfp" * 10), ("f" * 40, "p" * 40)]):
        [reason] = judged(teacher, baseline, number=number).reasons
        assert "not above the baseline" in reason
        assert build.TEACHER in reason


def test_too_few_rows_are_a_reason_with_the_number_needed(system: System) -> None:  # noqa: ARG001
    # 10 rows with a gap of 20 points: half of it takes many more.
    plan = judged("p" * 8 + "ff", "p" * 6 + "ffff")

    assert plan.rows_needed == rows_needed(0.1, 0.2)
    [reason] = plan.reasons
    assert f"{plan.rows_needed} rows" in reason
    assert "10.0 points" in reason


def test_as_many_rows_as_needed_are_no_reason(system: System) -> None:  # noqa: ARG001
    needed = rows_needed(0.5, 1.0)
    assert needed is not None
    assert judged("p" * needed, "f" * needed, number=1).reasons == []
    [reason] = judged("p" * (needed - 1), "f" * (needed - 1), number=2).reasons
    assert "cannot carry" in reason


def test_what_a_person_expects_and_what_power_counts(system: System) -> None:  # noqa: ARG001
    plan = judged("p" * 30, "f" * 30, expected_gain=0.3, power=0.95, min_gain=0.1)
    assert (plan.expected_gain, plan.rows_needed) == (0.3, rows_needed(0.3, 1.0, power=0.95, min_gain=0.1))
    assert "95% power" in plan.reasons[0]


def test_an_expected_gain_below_the_minimum_can_never_be_shown(system: System) -> None:  # noqa: ARG001
    plan = judged("p" * 8 + "ff", "p" * 6 + "ffff", min_gain=0.15)
    assert plan.rows_needed is None
    [reason] = plan.reasons
    assert "15.0 points" in reason


def test_no_row_graded_by_both_is_a_reason(system: System) -> None:  # noqa: ARG001
    plan = judged("eep", "ppe")
    assert (plan.rows, len(plan.reasons)) == (0, 1)


# ------------------------------------------------------------------ budget


def costing(system: System, limit: float | None, **fields: Any) -> Distillation:
    """A distillation over 40 training completions of 100 tokens each."""
    build.captured(system, [build.record(number, f"mail {number}", split="train") for number in range(40)])
    return build.distillation("measuring", gate={"max_cost_usd": limit}, **fields)


def test_training_is_estimated_from_recorded_tokens_epochs_and_price(system: System) -> None:
    # 40 completions of 100 tokens, 2 epochs, 3 dollars a million: 0.024 dollars.
    distillation = costing(system, 0.024, hyperparameters={"n_epochs": 2})
    assert budget.judge(distillation) == budget.Estimate(pytest.approx(0.024), [])

    other = build.distillation("measuring", number=2, gate={"max_cost_usd": 0.02}, hyperparameters={"n_epochs": 2})
    usd, [reason] = budget.judge(other)
    assert usd == pytest.approx(0.024)
    assert "$0.02" in reason


def test_only_what_the_teacher_answered_is_paid_for_and_auto_means_three_epochs(system: System) -> None:
    build.captured(system, [build.record(900, "mail of another", split="train", model="other")])
    distillation = costing(system, 1.0, hyperparameters={"n_epochs": "auto"})
    assert budget.judge(distillation).usd == pytest.approx(40 * 100 * 3 * 3 / 1e6)


@pytest.mark.parametrize(
    ("trainer", "epochs"), [("default", 3), ("sagemaker", 1), ("together", 1), ("bedrock", 2), ("file", None)]
)
def test_auto_means_what_the_trainer_chooses(trainer: str, epochs: int | None, system: System) -> None:
    cost, reasons = budget.judge(costing(system, 1.0, trainer=trainer))
    assert cost == (pytest.approx(40 * 100 * 3 * epochs / 1e6) if epochs else None)
    assert ["n_epochs" in reason for reason in reasons] == ([] if epochs else [True])


def test_what_a_dataset_costs_is_not_known_by_its_plan(system: System) -> None:  # noqa: ARG001
    train = DatasetId(type="dataset", id="dataset_1")
    distillation = build.distillation("measuring", gate={"max_cost_usd": 1.0}, train=train)
    assert budget.judge(distillation) == budget.Estimate(None, [])


def test_an_unknown_price_stops_only_where_there_is_a_budget(system: System) -> None:
    usd, [reason] = budget.judge(costing(system, 5, student="lab-small"))
    assert usd is None
    assert "lab-small" in reason
    assert "$5.00" in reason
    assert budget.judge(build.distillation(number=2, student="lab-small")) == budget.Estimate(None, [])


def test_the_budget_stands_among_the_gates_reasons(system: System) -> None:
    distillation = costing(system, 0.0)
    plan = gate.judge(
        distillation,
        build.graded(distillation, "teacher", "p" * 40),
        build.graded(distillation, "baseline", "f" * 40),
        {},
    )
    assert [reason for reason in plan.reasons if "budget" in reason] == plan.reasons != []
    assert plan.estimated_cost_usd
    assert plan.estimated_cost_usd > 0
