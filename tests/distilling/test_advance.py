"""The state machine: each transition, what holds it back, and what is sent when."""

from __future__ import annotations

from typing import Any

import botocore.client
import pytest
from botocore.exceptions import EndpointConnectionError

from distillations import lineage
from distillations.distillation import TERMINAL, Distillation
from distillations.failure import Failure
from distilling import advance as machine
from distilling.advance import advance
from distilling.transition import Transition
from evals.files import File
from evals.run import Run
from foundation import blobs
from tests.cloud import aws_client
from tests.distillations import documents
from tests.distilling import build
from tests.flow.system import System

WITH_JOB = {"dataset_id": "dataset_1", "job_id": "ftjob-1", "test_file_id": "file-1"}
# Rows on which the gate lets go, and on which it does not.
CLEAR = {"teacher": "p" * 40, "baseline": "f" * 40}
LEVEL = {"teacher": "p" * 40, "baseline": "p" * 40}


def ready(rows: dict[str, str], **fields: Any) -> Distillation:
    distillation = build.distillation("measuring", **fields)
    for role, letters in rows.items():
        build.graded(distillation, role, letters)
    return distillation


def now_at(distillation: Distillation) -> Distillation:
    return Distillation.load(distillation.id)


def failure(distillation: Distillation) -> Failure:
    failed = now_at(distillation)
    assert failed.status == "failed"
    assert failed.error
    return failed.error


def statuses(distillation: Distillation) -> list[str]:
    return [step.status for step in now_at(distillation).history]


# ------------------------------------------------------------------ queued


def test_queued_freezes_the_rows_and_has_teacher_and_baseline_run_on_them(system: System) -> None:
    build.captured(system, [build.record(number, f"mail {number}") for number in range(3)])
    distillation = build.distillation()

    advance(distillation.id)

    moved = now_at(distillation)
    assert (moved.status, moved.test_rows, set(moved.runs)) == ("measuring", 3, {"teacher", "baseline"})
    file = File.load(moved.test_file_id or "")
    assert (file.key, len(blobs.get(file.key).splitlines())) == (distillation.rows_key, 3)
    stored, sampled = Run.load(moved.runs["teacher"]), Run.load(moved.runs["baseline"])
    assert (stored.data_source.model, stored.model) == (None, build.TEACHER)
    assert (sampled.data_source.model, sampled.distillation_id) == (build.STUDENT, distillation.id)
    assert {message["run_id"] for message in build.sent(system, "PLAN")} == set(moved.runs.values())
    assert {node["id"] for node in lineage.graph("chatcmpl-1")["nodes"]} >= {file.id, *moved.runs.values()}
    assert not moved.outbox


def test_a_teacher_who_did_not_answer_every_row_is_sampled_again(system: System) -> None:
    build.captured(system, [build.record(1, "one"), build.record(2, "two", model="other")])
    distillation = build.distillation()

    advance(distillation.id)

    assert Run.load(now_at(distillation).runs["teacher"]).data_source.model == build.TEACHER


def test_queued_without_a_row_fails(system: System) -> None:
    distillation = build.distillation(test=build.source("nothing"))

    advance(distillation.id)

    assert failure(distillation).code == "no_rows"
    assert [message["type"] for message in build.sent(system, "NOTIFY")] == ["DistillationFailed"]


def test_contenders_run_on_the_same_rows(system: System) -> None:
    build.captured(system, [build.record(1, "mail")])
    distillation = build.distillation(contenders=["gpt-6-luna", "gpt-6-nova"])

    advance(distillation.id)

    moved = now_at(distillation)
    runs = [Run.load(moved.contender_runs[model]) for model in distillation.contenders]
    assert [run.model for run in runs] == ["gpt-6-luna", "gpt-6-nova"]
    assert [run.name for run in runs] == ["triage: contender gpt-6-luna", "triage: contender gpt-6-nova"]
    assert {run.data_source.source.id for run in runs} == {moved.test_file_id}
    assert {message["run_id"] for message in build.sent(system, "PLAN")} == {
        *moved.runs.values(),
        *moved.contender_runs.values(),
    }


# ------------------------------------------------------------------ measuring


def test_measuring_waits_for_both_runs(system: System) -> None:
    distillation = build.distillation("measuring")
    build.graded(distillation, "teacher", "ppp")
    build.run(distillation, "baseline")

    advance(distillation.id)

    assert statuses(distillation) == ["measuring"]
    assert not build.sent(system, "ASSEMBLY")


def test_measuring_waits_for_contenders_and_goes_on_without_one_that_failed(system: System) -> None:
    distillation = ready(CLEAR, contenders=["gpt-6-luna"])
    contender = build.run(distillation, "gpt-6-luna")
    advance(distillation.id)
    assert statuses(distillation) == ["measuring"]

    contender.give_up("provider_refused", "It knows no such model.")
    advance(distillation.id)

    moved = now_at(distillation)
    assert (moved.status, len(build.sent(system, "ASSEMBLY"))) == ("assembling", 1)
    assert moved.plan
    assert moved.plan.contenders[0].error == "It knows no such model."


def test_a_contender_that_does_enough_blocks(system: System) -> None:
    distillation = ready({**CLEAR, "gpt-6-luna": "p" * 40}, contenders=["gpt-6-luna"])
    advance(distillation.id)
    moved = now_at(distillation)
    assert moved.status == "blocked"
    assert moved.plan
    assert "by prompting alone" in moved.plan.reasons[0]
    assert [message["type"] for message in build.sent(system, "NOTIFY")] == ["DistillationBlocked"]


def test_a_clear_gap_has_the_training_set_assembled(system: System) -> None:
    distillation = ready(CLEAR)

    advance(distillation.id)

    moved = now_at(distillation)
    assert (moved.status, moved.plan and moved.plan.reasons) == ("assembling", [])
    assert moved.dataset_id
    assert moved.job_id
    [message] = build.sent(system, "ASSEMBLY")
    assert (message["dataset_id"], message["distillation_id"], message["correlation_id"]) == (
        moved.dataset_id,
        distillation.id,
        distillation.id,
    )


def test_no_gap_blocks_and_says_so(system: System) -> None:
    distillation = ready(LEVEL)

    advance(distillation.id)

    moved = now_at(distillation)
    assert moved.status == "blocked"
    assert moved.plan
    assert "there is no gap to close" in moved.plan.reasons[0]
    assert "tells nothing apart" in moved.plan.reasons[1]
    assert moved.job_id is None
    assert [message["type"] for message in build.sent(system, "NOTIFY")] == ["DistillationBlocked"]
    assert not build.sent(system, "ASSEMBLY")


def test_a_run_that_gave_no_result_fails_the_distillation(system: System) -> None:
    refused = {"status": "failed", "error": {"code": "no_rows", "message": "No rows."}}
    ends = [("teacher", refused, "No rows."), ("baseline", refused, "No rows.")]
    ends += [("teacher", {"status": "canceled"}, "canceled"), ("baseline", {"status": "canceled"}, "canceled")]
    for number, (role, end, text) in enumerate(ends):
        distillation = build.distillation("measuring", number=number)
        build.graded(distillation, "baseline" if role == "teacher" else "teacher", "ppp")
        build.run(distillation, role, **end)

        advance(distillation.id)

        error = failure(distillation)
        assert error.code == "run_failed"
        assert role in error.message
        assert text in error.message
        assert [message["type"] for message in build.sent(system, "NOTIFY")] == ["DistillationFailed"]


# ------------------------------------------------------------------ blocked


def test_blocked_waits_for_a_person(system: System) -> None:
    distillation = ready(LEVEL)
    advance(distillation.id)
    advance(distillation.id)
    assert statuses(distillation) == ["measuring", "blocked"]

    answer = system.ok("POST", f"/v1/distillations/{distillation.id}/approve")
    assert answer["status"] == "blocked"
    advance(distillation.id)

    moved = now_at(distillation)
    assert statuses(distillation) == ["measuring", "blocked", "assembling"]
    assert moved.plan
    assert moved.plan.approved_at == moved.approved_at
    assert moved.plan.reasons
    assert len(build.sent(system, "ASSEMBLY")) == 1


def test_only_a_blocked_one_can_be_approved(system: System) -> None:
    others = sorted({*machine.STEPS, *TERMINAL} - {"blocked"})
    for number, status in enumerate(others):
        distillation = build.distillation(status, number=number)
        code, answer = system.call("POST", f"/v1/distillations/{distillation.id}/approve")
        assert (status, code, answer["error"]["code"]) == (status, 409, "not_blocked")
        assert now_at(distillation).approved_at is None


# ------------------------------------------------------------------ assembling and training


def test_assembling_waits_for_a_job_that_the_trainer_has(system: System) -> None:  # noqa: ARG001
    distillation = build.distillation("assembling", **WITH_JOB)
    advance(distillation.id)
    build.dataset(distillation)
    advance(distillation.id)
    job = build.job(distillation)
    advance(distillation.id)
    assert statuses(distillation) == ["assembling"]

    job.change({"provider_job_id": "ftjob-at-trainer"})
    advance(distillation.id)

    assert statuses(distillation) == ["assembling", "training"]


def test_a_dataset_that_is_held_starts_no_job_whatever_was_lost(system: System) -> None:
    distillation = build.distillation("assembling", **WITH_JOB)
    build.dataset(distillation, status="ready", held=["leaks"])
    machine.resend(distillation.id)
    assert not build.sent(system, "TUNING")


def test_a_training_set_too_small_fails_with_the_reason(system: System) -> None:
    distillation = build.distillation("assembling", **WITH_JOB)
    build.dataset(distillation, status="failed", error={"code": "too_few_examples", "message": "3 examples"})

    advance(distillation.id)

    assert failure(distillation) == Failure(code="too_few_examples", message="3 examples")
    assert [message["type"] for message in build.sent(system, "NOTIFY")] == ["DistillationFailed"]


def test_a_job_without_a_model_fails_the_distillation(system: System) -> None:
    ends = [("assembling", "failed"), ("training", "failed"), ("training", "cancelled")]
    for number, (status, ended) in enumerate(ends):
        distillation = build.distillation(status, number=number, dataset_id="dataset_1", job_id=f"ftjob-{number}")
        build.job(
            distillation, status=ended, error={"code": "bad", "message": "bad line 7"} if ended == "failed" else None
        )

        advance(distillation.id)

        error = failure(distillation)
        assert error.code == "job_failed"
        assert ("bad line 7" if ended == "failed" else "cancelled") in error.message
        assert [message["type"] for message in build.sent(system, "NOTIFY")] == ["DistillationFailed"]


def test_training_waits_and_then_has_the_model_run_on_the_same_rows(system: System) -> None:
    runs, recipe = {"teacher": "evalrun_t", "baseline": "evalrun_b"}, {"steps": [{"rule": "prompt", "text": "Sort."}]}
    distillation = build.distillation("training", runs=runs, recipe=recipe, **WITH_JOB)
    job = build.job(distillation, provider_job_id="x", status="running")
    advance(distillation.id)
    assert statuses(distillation) == ["training"]

    job.change({"status": "succeeded", "fine_tuned_model": build.MODEL})
    advance(distillation.id)

    moved = now_at(distillation)
    assert (moved.status, moved.model) == ("evaluating", build.MODEL)
    assert set(moved.runs) == {"teacher", "baseline", "distilled"}
    run = Run.load(moved.runs["distilled"])
    assert run.data_source.sampling_params == {"logprobs": True}, "they say how sure it is"
    assert (run.data_source.model, run.data_source.source.id) == (build.MODEL, "file-1")
    assert run.data_source.system_prompt.text == "Sort."
    assert [message["run_id"] for message in build.sent(system, "PLAN")] == [run.id]
    assert {"from": build.MODEL, "to": run.id} in lineage.graph(build.MODEL)["edges"]


# ------------------------------------------------------------------ evaluating and deciding


def test_evaluating_waits_and_then_asks_for_the_verdict(system: System) -> None:
    distillation = build.distillation("evaluating", **WITH_JOB)
    run = build.run(distillation, "distilled")
    advance(distillation.id)
    assert statuses(distillation) == ["evaluating"]

    run.finish(status="completed")
    advance(distillation.id)

    assert statuses(distillation) == ["evaluating", "deciding"]
    assert [message["type"] for message in build.sent(system, "VERDICT")] == ["DecideVerdict"]


def test_a_failed_run_of_the_distilled_model_fails(system: System) -> None:
    distillation = build.distillation("evaluating", **WITH_JOB)
    build.run(distillation, "distilled", status="failed", error={"code": "x", "message": "gone"})

    advance(distillation.id)

    assert "distilled" in failure(distillation).message
    assert [message["type"] for message in build.sent(system, "NOTIFY")] == ["DistillationFailed"]


def test_deciding_ends_when_people_were_told(system: System) -> None:  # noqa: ARG001
    distillation = build.distillation("deciding", **WITH_JOB)
    advance(distillation.id)
    verdict = build.verdict(distillation)
    advance(distillation.id)
    assert statuses(distillation) == ["deciding"]

    verdict.change({"notified_at": build.AT})
    advance(distillation.id)

    moved = now_at(distillation)
    assert moved.status == "completed"
    assert moved.verdict
    assert moved.verdict.id == distillation.verdict_id


def test_what_has_ended_stays_as_it_is_and_cannot_be_cancelled(system: System) -> None:
    for number, status in enumerate(sorted(TERMINAL)):
        distillation = build.distillation(
            status, number=number, cancel_requested_at=build.AT, approved_at=build.AT, **WITH_JOB
        )
        advance(distillation.id)
        code, answer = system.call("POST", f"/v1/distillations/{distillation.id}/cancel")
        assert (status, code, answer["error"]["code"]) == (status, 409, "already_ended")
        assert now_at(distillation) == distillation
    assert not any(build.sent(system, queue) for queue in ("PLAN", "ASSEMBLY", "TUNING", "VERDICT", "NOTIFY"))


# ------------------------------------------------------------------ cancelling


def test_cancel_keeps_runs_from_grading_on(system: System) -> None:
    distillation = ready({**CLEAR, "gpt-6-luna": "p" * 40}, contenders=["gpt-6-luna"])
    teacher, baseline, _, contender = distillation.run_ids
    for run_id in (teacher, contender):
        Run.load(run_id).change({"status": "in_progress"})
    system.ok("POST", f"/v1/distillations/{distillation.id}/cancel")
    system.settle()
    assert [Run.load(run_id).status for run_id in (teacher, baseline, contender)] == [
        "canceled",
        "completed",
        "canceled",
    ]


def test_cancel_ends_every_open_state_and_stops_the_job(system: System) -> None:
    for number, status in enumerate(machine.STEPS):
        has_job = status not in {"queued", "measuring", "blocked"}
        distillation = build.distillation(status, number=number, **(WITH_JOB if has_job else {}))

        system.ok("POST", f"/v1/distillations/{distillation.id}/cancel")
        system.deliver("DISTILLING")

        assert statuses(distillation) == [status, "cancelled"]
        stopped = [message["job_id"] for message in build.sent(system, "TUNING")]
        assert (status, stopped) == (status, ["ftjob-1"] if has_job else [])
        assert not any(build.sent(system, queue) for queue in ("PLAN", "ASSEMBLY", "VERDICT", "NOTIFY"))


# ------------------------------------------------------------------ the outbox


@pytest.fixture
def one_send_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next message does not reach SQS."""
    real = botocore.client.BaseClient._make_api_call
    pending = ["SendMessage"]

    def make(self: Any, name: str, arguments: Any) -> Any:
        if name in pending:
            pending.remove(name)
            raise EndpointConnectionError(endpoint_url="injected")
        return real(self, name, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", make)


@pytest.mark.usefixtures("one_send_fails")
def test_a_message_that_could_not_be_sent_is_sent_with_the_next_hint(system: System) -> None:
    distillation = ready(CLEAR)

    with pytest.raises(EndpointConnectionError):
        advance(distillation.id)
    assert now_at(distillation).status == "assembling"
    [kept] = now_at(distillation).outbox
    assert not build.sent(system, "ASSEMBLY")

    advance(distillation.id)
    assert [message["event_id"] for message in build.sent(system, "ASSEMBLY")] == [kept["event_id"]]
    assert not now_at(distillation).outbox
    advance(distillation.id)
    assert not build.sent(system, "ASSEMBLY")


@pytest.mark.usefixtures("one_send_fails")
def test_a_last_message_is_sent_though_the_distillation_has_ended(system: System) -> None:
    distillation = build.distillation(test=build.source("nothing"))
    with pytest.raises(EndpointConnectionError):
        advance(distillation.id)
    assert now_at(distillation).status == "failed"

    advance(distillation.id)

    assert [message["type"] for message in build.sent(system, "NOTIFY")] == ["DistillationFailed"]


def test_an_outbox_that_could_not_be_emptied_is_sent_again_as_the_same_message(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    distillation = ready(CLEAR)
    real = Distillation.change

    def lost(self: Distillation, changes: Any, **options: Any) -> bool:
        if changes == {"outbox": []}:
            raise EndpointConnectionError(endpoint_url="injected")
        return real(self, changes, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Distillation, "change", lost)
        with pytest.raises(EndpointConnectionError):
            advance(distillation.id)
    advance(distillation.id)

    first, second = build.sent(system, "ASSEMBLY")
    assert first == second


def test_who_comes_second_changes_nothing(system: System) -> None:
    distillation = build.distillation("measuring")
    distillation.change({"status": "cancelled"})
    late = Distillation.load(distillation.id).model_copy(update={"status": "measuring"})

    machine._move(late, Transition("blocked", {"plan": documents.plan()}, []))

    assert (now_at(distillation).status, now_at(distillation).plan, len(now_at(distillation).history)) == (
        "cancelled",
        None,
        1,
    )
    assert not system.dead("DISTILLING")


def test_steps_that_are_due_are_taken_in_one_go_and_leave_their_times(system: System) -> None:
    distillation = ready(CLEAR)
    advance(distillation.id)
    build.job(now_at(distillation), provider_job_id="x", status="succeeded", fine_tuned_model=build.MODEL)

    advance(distillation.id)

    assert statuses(distillation) == ["measuring", "assembling", "training", "evaluating"]
    times = [step.at for step in now_at(distillation).history]
    assert times == sorted(times)
    shown = system.ok("GET", f"/v1/distillations/{distillation.id}")
    assert [step["status"] for step in shown["history"]] == statuses(distillation)
    assert "outbox" not in shown


# ------------------------------------------------------------------ hints


def test_a_summary_that_lands_moves_the_distillation_that_waits(system: System) -> None:
    distillation = ready(CLEAR)

    while system.deliver("DISTILLING"):
        pass

    assert now_at(distillation).status == "assembling"
    assert not system.dead("DISTILLING")


@pytest.mark.parametrize(
    ("body", "accepted"),
    [
        ('{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"bucket"}', True),
        ('{"type":"PlanRun","run_id":"evalrun_1"}', False),
        ('{"type":"AdvanceDistillation","distillation_id":"distill_unknown"}', False),
    ],
)
def test_messages_of_others_and_of_nobody_go_back(body: str, accepted: bool, system: System) -> None:
    build.sent(system, "DISTILLING")
    aws_client("sqs").send_message(QueueUrl=system.queues["DISTILLING"], MessageBody=body)
    for _ in range(7):
        system.deliver("DISTILLING")
    assert bool(system.dead("DISTILLING")) != accepted


def test_the_summary_of_a_run_that_nobody_waits_for_is_let_be(system: System) -> None:
    distillation = build.distillation("measuring")
    build.sent(system, "DISTILLING")
    run = build.run(distillation, "teacher").model_copy(update={"distillation_id": None})
    run.finish(status="completed")
    assert system.deliver("DISTILLING") == 1
    assert now_at(distillation).status == "measuring"
    assert not build.sent(system, "DISTILLING")


def test_the_summary_of_a_run_that_was_deleted_meanwhile_is_let_be(system: System) -> None:
    distillation = build.distillation("measuring")
    run = build.run(distillation, "teacher").model_copy(update={"distillation_id": None})
    run.finish(status="canceled")
    run.erase()
    for _ in range(7):
        system.deliver("DISTILLING")
    assert not system.dead("DISTILLING")
    assert now_at(distillation).status == "measuring"
