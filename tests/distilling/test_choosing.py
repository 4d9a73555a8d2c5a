"""The best of several models is chosen on the validation rows, and one that fails ends no other."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from distillations import checkpoints, lineage
from distillations.attempts import Attempt
from distillations.distillation import Distillation
from distillations.job import Checkpoint
from distilling.advance import advance
from evals.eval import Eval
from evals.files import File
from evals.run import Run
from foundation import blobs
from tests.distilling import build
from tests.flow.system import System

RUNS = {"teacher": "evalrun_t", "baseline": "evalrun_b"}


def asked(system: System, status: str = "training", *, jobs: int = 2, **fields: Any) -> Distillation:
    """A distillation of some attempts, whose training set has two rows that validate."""
    build.captured(system, [build.record(number, f"mail {number}", split="train") for number in range(3)])
    attempts = [
        Attempt(student=build.STUDENT, hyperparameters={"n_epochs": number + 1}, job_id=f"ftjob-{number}")
        for number in range(jobs)
    ]
    distillation = build.distillation(
        status,
        **{
            "attempts": attempts,
            "dataset_id": "dataset_1",
            "job_id": "ftjob-0",
            "test_file_id": "file-1",
            "runs": RUNS,
            "hyperparameters": [attempt.hyperparameters for attempt in attempts],
            **fields,
        },
    )
    manifest = [
        {"completion_id": f"chatcmpl-{number}", "split": "validation" if number else "train", "line": 1}
        for number in range(3)
    ]
    blobs.put("datasets/dataset_1/manifest.jsonl", b"\n".join(map(orjson.dumps, manifest)))
    return distillation


def ended(distillation: Distillation, *models: str | None) -> None:
    """Its jobs with their models; None for one that failed."""
    for attempt, model in zip(distillation.attempts, models, strict=True):
        end: dict[str, Any] = {"status": "succeeded", "fine_tuned_model": model}
        failed = {"status": "failed", "error": {"code": "bad", "message": "bad line 7"}}
        of = distillation.model_copy(update={"job_id": attempt.job_id})
        build.job(of, provider_job_id="x", **(end if model else failed))


def now_at(distillation: Distillation) -> Distillation:
    return Distillation.load(distillation.id)


def grade(distillation: Distillation, *rows: str | None) -> None:
    """The runs of the attempts over the validation rows: a letter a row, or None for a run that failed."""
    for attempt, letters in zip(now_at(distillation).attempts, rows, strict=True):
        if letters is None:
            Run.load(attempt.run_id or "").give_up("provider_refused", "It knows no such model.")
        elif attempt.run_id:
            build.graded_rows(Run.load(attempt.run_id), letters)


def chosen(distillation: Distillation) -> str | None:
    advance(distillation.id)
    moved = now_at(distillation)
    assert moved.status == "evaluating"
    [best] = [attempt for attempt in moved.attempts if attempt.chosen]
    assert (moved.model, moved.job_id, moved.student) == (best.model, best.job_id, best.student)
    return moved.model


def test_all_models_are_asked_on_the_validation_rows_and_the_best_goes_on(system: System) -> None:
    distillation = asked(system)
    ended(distillation, "ft:one", "ft:two")
    advance(distillation.id)

    moved = now_at(distillation)
    assert (moved.status, moved.model) == ("choosing", None)
    runs = [Run.load(attempt.run_id or "") for attempt in moved.attempts]
    assert [run.model for run in runs] == ["ft:one", "ft:two"]
    assert {message["run_id"] for message in build.sent(system, "PLAN")} == {run.id for run in runs}
    assert {run.data_source.source.id for run in runs} == {moved.validation_file_id}
    rows = [orjson.loads(line) for line in blobs.lines(File.load(moved.validation_file_id or "").key)]
    assert [row["item"]["completion_id"] for row in rows] == ["chatcmpl-1", "chatcmpl-2"]
    assert "sample" not in rows[0]
    assert {"from": "ft:two", "to": runs[1].id} in lineage.graph("ft:two")["edges"]

    advance(distillation.id)
    assert now_at(distillation).status == "choosing", "it waits for the runs"
    grade(distillation, "pf", "pp")
    assert chosen(distillation) == "ft:two"
    scores = [attempt.score for attempt in now_at(distillation).attempts]
    assert [(score.passed, score.total) for score in scores if score] == [(1, 2), (2, 2)]
    distilled = Run.load(now_at(distillation).runs["distilled"])
    assert (distilled.model, distilled.data_source.source.id) == ("ft:two", "file-1"), "on the test rows"


@pytest.mark.parametrize(
    ("rows", "best"),
    [
        (("pp", "pp"), "ft:one"),
        (("ef", "pp"), "ft:two"),
        (("pe", "pp"), "ft:one"),
        (("ee", "ff"), "ft:two"),
        ((None, "ff"), "ft:two"),
        (("ee", "ee"), "ft:one"),
    ],
    ids=["a tie", "on common rows", "a tie on common rows", "nothing graded", "a run that failed", "no row at all"],
)
def test_the_score_on_the_common_rows_decides_and_then_the_order(
    rows: tuple[str | None, ...], best: str, system: System
) -> None:
    distillation = asked(system)
    ended(distillation, "ft:one", "ft:two")
    advance(distillation.id)
    grade(distillation, *rows)
    assert chosen(distillation) == best
    for attempt, letters in zip(now_at(distillation).attempts, rows, strict=True):
        assert bool(attempt.error) == (letters in {None, "ee"})


def test_of_equals_the_cheaper_one_is_taken(system: System) -> None:
    distillation = asked(system)
    for attempt, cost in zip(distillation.attempts, (2.0, 1.0), strict=True):
        of = distillation.model_copy(update={"job_id": attempt.job_id})
        build.job(of, status="succeeded", fine_tuned_model=f"ft:{cost}", cost_usd=cost)
    advance(distillation.id)
    grade(distillation, "pp", "pp")
    assert chosen(distillation) == "ft:1.0"
    costs = now_at(distillation).costs
    assert costs
    assert costs.training_usd == 3.0, "all of them were paid for"


def test_the_only_model_needs_no_comparison(system: System) -> None:
    distillation = asked(system)
    ended(distillation, None, "ft:two")
    assert chosen(distillation) == "ft:two"
    moved = now_at(distillation)
    assert [attempt.error for attempt in moved.attempts] == ["bad line 7", None]
    assert [attempt.run_id for attempt in moved.attempts] == [None, None]
    assert moved.validation_file_id is None


def test_without_a_model_it_fails_with_the_words_of_the_first(system: System) -> None:
    distillation = asked(system)
    ended(distillation, None, None)
    advance(distillation.id)
    moved = now_at(distillation)
    assert moved.status == "failed"
    assert moved.error
    assert "bad line 7 None of the other 1 attempts has a model" in moved.error.message


def test_without_a_result_it_fails(system: System) -> None:
    distillation = asked(system)
    ended(distillation, "ft:one", "ft:two")
    advance(distillation.id)
    grade(distillation, None, None)
    advance(distillation.id)
    moved = now_at(distillation)
    assert (moved.status, moved.error and moved.error.code) == ("failed", "run_failed")


def test_rows_that_were_all_deleted_leave_the_choice_to_the_order(system: System) -> None:
    distillation = asked(system)
    for number in (1, 2):
        system.ok("DELETE", f"/v1/chat/completions/chatcmpl-{number}")
    ended(distillation, "ft:one", "ft:two")
    assert chosen(distillation) == "ft:one"
    assert [attempt.error for attempt in now_at(distillation).attempts] == ["None of its rows could be graded."] * 2


def test_a_row_without_a_reference_has_the_teacher_s_answer(system: System) -> None:
    distillation = asked(system)
    build.captured(system, [build.record(7, "mail 7", "no", split="train", reference=None)])
    entry = {"completion_id": "chatcmpl-7", "split": "validation", "line": 1}
    blobs.put("datasets/dataset_1/manifest.jsonl", orjson.dumps(entry))
    ended(distillation, "ft:one", "ft:two")
    advance(distillation.id)
    [row] = [orjson.loads(line) for line in blobs.lines(f"distillations/{distillation.id}/validation.jsonl")]
    assert row["item"]["reference"] == "no"


def test_many_rows_are_drawn_by_lot(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distilling.validation_rows.MOST_ROWS", 1)
    distillation = asked(system)
    ended(distillation, "ft:one", "ft:two")
    advance(distillation.id)
    assert len(list(blobs.lines(f"distillations/{distillation.id}/validation.jsonl"))) == 1


def test_the_chosen_one_is_measured_against_its_own_base(system: System) -> None:
    students = ["small", "smaller"]
    attempts = [Attempt(student=name, hyperparameters={}, job_id=f"ftjob-{name}") for name in students]
    baselines = {"small": "evalrun_b", "smaller": "evalrun_c"}
    fields = {"students": students, "student": "small", "attempts": attempts, "baseline_runs": baselines}
    distillation = asked(system, **fields)
    ended(distillation, "ft:one", "ft:two")
    advance(distillation.id)
    grade(distillation, "ff", "pp")
    assert chosen(distillation) == "ft:two"
    moved = now_at(distillation)
    assert (moved.student, moved.runs["baseline"]) == ("smaller", "evalrun_c")


def test_checkpoints_are_compared_with_the_end_of_the_training(system: System) -> None:
    distillation = asked(system, jobs=1, checkpoints="best")
    ended(distillation, "ft:one")
    kept = [
        Checkpoint(id=f"ckpt-{step}", created_at=1, model="ft:one" if step == 9 else f"ft:one:{step}", step=step)
        for step in range(1, 10)
    ]
    checkpoints.keep("ftjob-0", kept)
    advance(distillation.id)
    moved = now_at(distillation)
    assert [(attempt.model, attempt.step) for attempt in moved.attempts] == [
        ("ft:one", None),
        *((f"ft:one:{step}", step) for step in (8, 7, 6, 5)),
    ]
    assert {attempt.run_id for attempt in moved.attempts} <= set(moved.run_ids)
    grade(distillation, "pf", "pf", "pp", "ff", "pp")
    assert chosen(distillation) == "ft:one:7"
    assert now_at(distillation).job_ids == ["ftjob-0"]


def test_without_the_eval_nothing_is_chosen(system: System) -> None:
    distillation = asked(system)
    ended(distillation, "ft:one", "ft:two")
    advance(distillation.id)
    grade(distillation, "pf", "pp")
    Eval.load(distillation.eval_id).remove()
    advance(distillation.id)
    moved = now_at(distillation)
    assert (moved.status, moved.error and moved.error.code) == ("failed", "eval_deleted")


def test_a_cancellation_ends_the_runs_and_all_jobs(system: System) -> None:
    distillation = asked(system)
    ended(distillation, "ft:one", "ft:two")
    advance(distillation.id)
    build.sent(system, "PLAN")
    system.ok("POST", f"/v1/distillations/{distillation.id}/cancel")
    system.deliver("DISTILLING")
    assert now_at(distillation).status == "cancelled"
    assert [Run.load(attempt.run_id or "").status for attempt in now_at(distillation).attempts] == ["canceled"] * 2
    assert {message["job_id"] for message in build.sent(system, "TUNING")} == {"ftjob-0", "ftjob-1"}
