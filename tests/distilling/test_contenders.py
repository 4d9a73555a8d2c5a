"""Models that are only prompted, before money is spent: what they measured, and when they make training pointless."""

from __future__ import annotations

from typing import Any

import pytest

from distillations.distillation import Distillation
from distillations.plan import Plan
from distilling import gate
from evals.run import Run
from providers.usage import ModelUsage
from stats import wilson
from tests.distilling import build

pytestmark = pytest.mark.usefixtures("system")
CHEAP = "gpt-6-luna"
# Half of a gap of 100 points is expected: the student is to reach 50%.
TEACHER, BASELINE = "p" * 40, "f" * 40


def usage(model: str, tokens: int) -> list[ModelUsage]:
    return [ModelUsage(model_name=model, invocation_count=40, prompt_tokens=tokens, total_tokens=tokens)]


def judged(rows: str | None, *, model: str = CHEAP, tokens: int | None = None, **asked: Any) -> Plan:
    """The plan with one contender; without rows its run failed."""
    distillation = build.distillation("measuring", contenders=[model], gate=asked)
    teacher = build.graded(distillation, "teacher", TEACHER, usage=usage(build.TEACHER, 1000) if tokens else None)
    baseline = build.graded(distillation, "baseline", BASELINE)
    if rows is None:
        build.run(distillation, model).give_up("provider_refused", "It knows no such model.")
    else:
        build.graded(distillation, model, rows, usage=usage(model, tokens) if tokens else None)
    now = Distillation.load(distillation.id)
    runs = {model: Run.find(run_id) for model, run_id in now.contender_runs.items()}
    return gate.judge(now, Run.load(teacher.id), baseline, runs)


def test_a_contender_is_measured_on_the_rows_that_all_three_graded() -> None:
    plan = judged("e" * 10 + "p" * 6 + "f" * 24)
    [contender] = plan.contenders
    assert contender.score
    assert (contender.score.passed, contender.score.total, contender.gain) == (6, 30, 0.2)
    assert contender.score.interval == wilson(6, 30)
    assert (plan.rows, plan.reasons, contender.error) == (40, [], None)


def test_a_contender_that_does_what_training_is_to_do_is_a_reason() -> None:
    [reason] = judged("p" * 20 + "f" * 20).reasons
    assert reason.startswith(f"{CHEAP} reaches 50.0% on 40 rows by prompting alone: +50.0 points over the baseline")


def test_one_row_less_is_no_reason() -> None:
    assert judged("p" * 19 + "f" * 21).reasons == []


@pytest.mark.parametrize(("tokens", "blocks"), [(999, True), (1000, False)])
def test_a_contender_as_dear_as_the_teacher_is_no_reason(tokens: int, blocks: bool) -> None:
    plan = judged("p" * 40, model="gpt-4o-2024-08-06", tokens=tokens)
    assert plan.contenders[0].cost_ratio == tokens / 1000
    assert bool(plan.reasons) is blocks


def test_without_a_gap_the_contender_adds_no_reason_of_its_own() -> None:
    distillation = build.distillation("measuring", contenders=[CHEAP])
    teacher, baseline = (build.graded(distillation, role, "p" * 40) for role in ("teacher", "baseline"))
    contender = build.graded(distillation, CHEAP, "p" * 40)
    [reason] = gate.judge(Distillation.load(distillation.id), teacher, baseline, {CHEAP: contender}).reasons
    assert "not above the baseline" in reason


def test_a_contender_whose_run_failed_says_why_and_holds_nothing_up() -> None:
    plan = judged(None)
    [contender] = plan.contenders
    assert (contender.score, contender.gain, contender.error) == (None, None, "It knows no such model.")
    assert plan.reasons == []


def test_a_contender_without_a_graded_row_or_without_its_run_says_so() -> None:
    assert judged("e" * 40).contenders[0].error == "None of its rows could be graded."
    distillation = build.distillation("measuring", number=2, contenders=[CHEAP], contender_runs={CHEAP: "evalrun_x"})
    teacher, baseline = (
        build.graded(distillation, role, rows) for role, rows in (("teacher", TEACHER), ("baseline", BASELINE))
    )
    [contender] = gate.judge(distillation, teacher, baseline, {CHEAP: None}).contenders
    assert contender.error == "Its run was deleted."
