"""What stands still is resumed: a lost message is sent again, and what cannot be helped ends, with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from distillations.dataset import OPEN_DATASETS, Dataset
from distillations.distillation import OPEN_DISTILLATIONS, Distillation
from distillations.job import Job
from distillations.learning_curve import OPEN_CURVES, LearningCurve, LearningPoint
from evals.run import OPEN_RUNS, Run
from foundation import blobs, bus, table
from foundation.events import StartJob
from foundation.later import put_back
from rollouts.moving import step_of
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import System
from tests.hostile import acts
from tests.rolling_out import calls as rolling_out

HOUR = 3600


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Turn the clock to so many hours from now and sweep, which first of all notes what there is."""
    acts.sweep()

    def swept(*later: float) -> None:
        for at in later:
            with monkeypatch.context() as patched:
                acts.later(patched, round(at * HOUR))
                acts.sweep()

    return swept


def begun(system: System) -> Run:
    """A run whose messages are all lost."""
    run = system.ok("POST", f"/v1/evals/{acts.new_eval(system)}/runs", {"data_source": acts.inline()})
    build.sent(system, "PLAN")
    return Run.load(run["id"])


def test_a_run_that_was_never_planned_is_planned(system: System, hours: Any) -> None:
    run = begun(system)
    hours(0, 0.5)
    assert build.sent(system, "PLAN") == []
    hours(1.1)
    acts.deliver_all(system)
    assert Run.load(run.id).status == "completed"
    hours(1.2)
    assert list(table.query(OPEN_RUNS)) == [] or not build.sent(system, "PLAN")


def test_a_chunk_that_is_lost_is_graded_after_all_though_it_was_put_back_before(system: System, hours: Any) -> None:
    run = begun(system)
    hours(0, 1.1)
    system.deliver("PLAN")
    [chunk] = build.sent(system, "GRADE")
    table.put({"pk": run.id, "sk": f"BACK#{chunk['chunk']:06d}", "times": 7})
    hours(1.2, 2.3)
    assert list(table.query(run.id, prefix="BACK#")) == []
    acts.deliver_all(system)
    assert Run.load(run.id).status == "completed"


def test_what_is_resumed_in_vain_is_asked_for_more_and_more_seldom_and_ends_as_failed(
    system: System, hours: Any
) -> None:
    run = begun(system)
    hours(0)
    asked = []
    for hour in (1, 2, 3, 4, 7, 8, 16, 31, 32, 63, 64, 65):
        hours(hour + 0.1)
        asked += [hour for _ in build.sent(system, "PLAN")]
    assert asked == [1, 2, 4, 8, 16, 32, 64]
    hours(72.2)
    assert Run.load(run.id).error == {"code": "stalled", "message": Run.load(run.id).error["message"]}  # type: ignore[index]
    acts.deliver_all(system, but="NOTIFY")
    assert blobs.exists(f"runs/{run.id}/summary.json")
    assert "eval.run.failed" in [message["event_type"] for message in build.sent(system, "NOTIFY")]


def open_at(status: str, **fields: Any) -> Distillation:
    return build.distillation(status, dataset_id="dataset_1", job_id="ftjob-1", student=loop.STUDENT, **fields)


@pytest.mark.parametrize(
    ("status", "queue", "message"),
    [
        ("assembling", "ASSEMBLY", "AssembleDataset"),
        ("deciding", "VERDICT", "DecideVerdict"),
        ("training", "TUNING", "StartJob"),
        ("cancelled", "TUNING", "CancelJob"),
    ],
)
def test_what_a_status_waits_for_is_sent_again(
    status: str, queue: str, message: str, system: System, hours: Any
) -> None:
    distillation = open_at(status)
    if status == "training":
        build.dataset(distillation)
        build.job(distillation, provider_job_id="theirs", status="running")
    hours(0, 1.1)
    system.deliver("DISTILLING")
    assert [sent["type"] for sent in build.sent(system, queue)] == [message]


@pytest.mark.parametrize("status", ["blocked", "training", "assembling"])
def test_only_what_waits_for_nobody_else_has_an_end(status: str, system: System, hours: Any) -> None:
    distillation = open_at(status)
    if status == "training":
        build.job(distillation, provider_job_id="theirs", status="running")
    hours(0, 73)
    acts.deliver_all(system, but="ASSEMBLY")
    ended = loop.fetched(system, distillation.id)
    assert ended["status"] == ("failed" if status == "assembling" else status)
    assert status != "assembling" or ended["error"]["code"] == "stalled"


def test_a_set_that_is_graded_for_days_does_not_end_its_distillation(system: System, hours: Any) -> None:
    distillation = open_at("assembling")
    dataset = build.dataset(distillation, status="grading", card=None)
    hours(0, 73)
    acts.deliver_all(system, but="ASSEMBLY")
    assert loop.fetched(system, distillation.id)["status"] == "assembling"
    dataset.change({"status": "making"})
    hours(74, 75)
    acts.deliver_all(system, but="ASSEMBLY")
    assert loop.fetched(system, distillation.id)["status"] == "assembling", "it has just come to another step"


def test_a_start_that_is_sent_anew_beside_one_that_waits_makes_one_of_both(system: System) -> None:
    """Both are put back once more, and the newer one is not sent again after that."""
    distillation = open_at("assembling")
    waiting, anew = (
        StartJob(dataset_id=distillation.dataset_id or "", put_back=7),
        StartJob(dataset_id=distillation.dataset_id or ""),
    )
    for message in (anew, waiting):
        put_back(message, 0)
    sent = [StartJob.model_validate(message) for message in build.sent(system, "TUNING")]
    assert sorted(message.put_back for message in sent) == [1, 8]
    for message in sent:
        put_back(message, 0)
    assert [message["put_back"] for message in build.sent(system, "TUNING")] == [9]


def test_a_job_that_was_never_started_is_started(system: System, hours: Any) -> None:
    job = Job(
        id="ftjob-9", created_at=1, training_file="file-1", trainer="file", model="m", seed=1, status="validating_files"
    )
    job.create()
    build.job(build.distillation("training", dataset_id="dataset_1", job_id="ftjob-8"), provider_job_id="theirs")
    hours(0, 0.5)
    assert build.sent(system, "TUNING") == []
    hours(1.1)
    assert [message["job_id"] for message in build.sent(system, "TUNING")] == [job.id]
    job.change({"status": "failed"})
    hours(9)
    assert build.sent(system, "TUNING") == []


def test_a_dataset_whose_message_was_lost_is_made_after_all(system: System, hours: Any) -> None:
    build.captured(system, [build.record(n, f"mail {n}", split="train") for n in range(12)])
    name = system.ok("POST", "/v1/datasets", {"source": build.source("train")})["id"]
    build.sent(system, "ASSEMBLY")
    hours(0, 0.5)
    assert build.sent(system, "ASSEMBLY") == []
    hours(1.1)
    system.deliver("ASSEMBLY")
    assert Dataset.load(name).status == "ready"
    hours(1.2, 2.3)
    assert list(table.query(OPEN_DATASETS)) == []


def test_a_dataset_that_is_resumed_in_vain_ends_as_failed(system: System, hours: Any) -> None:
    build.captured(system, [build.record(n, f"mail {n}", split="train") for n in range(12)])
    name = system.ok("POST", "/v1/datasets", {"source": build.source("train")})["id"]
    blobs.put(f"datasets/{name}/work/00000.rows", b"what somebody wrote")
    build.sent(system, "ASSEMBLY")
    hours(0, 72.2)
    error = Dataset.load(name).error
    assert error
    assert error.code == "assembly_failed"
    system.deliver("ASSEMBLY")
    assert not [key for key in blobs.keys("datasets/") if "/work/" in key]


@pytest.mark.parametrize("killed_at", ["evals.run.Run.cancel", "api.datasets.bus.send"])
def test_the_runs_of_a_dataset_end_though_who_canceled_it_was_killed(
    killed_at: str, system: System, hours: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its runs were canceled, or before their end was announced."""
    build.captured(system, [build.record(n, f"mail {n}", split="train") for n in range(12)])
    recipe = {"steps": [{"rule": "quality", "criteria": [acts.CHECK]}]}
    asked = system.ok("POST", "/v1/datasets", {"source": build.source("train"), "recipe": recipe})
    system.deliver("ASSEMBLY")
    [needed] = Dataset.load(asked["id"]).runs
    hours(0)
    build.sent(system, "PLAN")

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(killed_at, killed)
        with pytest.raises(KeyboardInterrupt):
            system.call("POST", f"/v1/datasets/{asked['id']}/cancel")
    assert Dataset.load(asked["id"]).status == "failed"
    hours(0.5)
    acts.deliver_all(system)
    assert Run.load(needed.run_id or "").status == "canceled"
    assert blobs.exists(f"runs/{needed.run_id}/summary.json")
    hours(0.6, 1.7, 1.8)
    assert not [*table.query(OPEN_DATASETS), *table.query(OPEN_RUNS)]


def test_a_learning_curve_that_missed_the_end_of_its_last_run_goes_on(system: System, hours: Any) -> None:
    point = LearningPoint(share=1.0, examples=9, job_id="ftjob-1", model="ft:m", run_id="evalrun_gone")
    fields: dict[str, Any] = {"eval_id": "eval_1", "student": "m", "trainer": "default", "points": [point]}
    curve = LearningCurve(id="curve_1", created_at=1, dataset_id="dataset_1", seed=1, status="grading", **fields)
    curve.create()
    hours(0, 0.5)
    assert build.sent(system, "DISTILLING") == []
    hours(1.1)
    system.deliver("DISTILLING")
    ended = LearningCurve.load(curve.id)
    assert (ended.status, ended.points[0].error) == ("completed", "Its run was deleted.")
    hours(1.2, 2.3)
    assert list(table.query(OPEN_CURVES)) == []


def test_entries_of_what_is_gone_leave_the_lists(system: System, hours: Any) -> None:
    assert system
    table.put({"pk": OPEN_RUNS, "sk": "evalrun_gone"})
    table.put({"pk": OPEN_DISTILLATIONS, "sk": "distill_gone"})
    hours(0)
    assert len([*table.query(OPEN_RUNS), *table.query(OPEN_DISTILLATIONS)]) == 2
    hours(1.1)
    assert [*table.query(OPEN_RUNS), *table.query(OPEN_DISTILLATIONS)] == []


def test_a_whole_distillation_survives_that_every_message_is_lost_once(
    system: System, hours: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: set[tuple[str, str]] = set()
    send, send_all = bus.send, bus.send_all

    def passes(message: Any) -> bool:
        name = (message.QUEUE, getattr(message, "run_id", getattr(message, "distillation_id", "")))
        if name in lost or message.QUEUE in {"RECORD_QUEUE_URL", "NOTIFY_QUEUE_URL"}:
            return True
        lost.add(name)
        return False

    def sends(message: Any, **_: Any) -> None:
        if passes(message):
            send(message)

    loop.capture(system, "lossy", train=24, test=6)
    monkeypatch.setattr(bus, "send", sends)
    monkeypatch.setattr(bus, "send_all", lambda messages: send_all(filter(passes, list(messages))))
    distillation = loop.distill(system, "lossy", gate={"expected_gain": 0.9})
    for hour in range(1, 30):
        hours(hour * 1.1)
        system.settle()
        if loop.fetched(system, distillation["id"])["status"] == "blocked":
            system.ok("POST", f"/v1/distillations/{distillation['id']}/approve")
    assert loop.fetched(system, distillation["id"])["status"] == "completed"
    assert Job.load(loop.fetched(system, distillation["id"])["job_id"]).status == "succeeded"
    assert len(lost) > 5


def test_an_open_rollout_is_looked_at_in_every_sweep(system: System, hours: Any) -> None:
    open_one = rolling_out.begun()
    rolling_out.begun("another").change({"status": "canceled"})
    # Its alias has not gone back yet.
    ending = rolling_out.begun("ending")
    ending.change({"status": "rolled_back", "move": step_of(ending, "rolled_back", "A complaint.")})
    build.sent(system, "ROLLOUT")
    hours(0)
    messages = build.sent(system, "ROLLOUT")
    assert {(message["type"], message["rollout_id"], message["resend"]) for message in messages} == {
        ("AdvanceRollout", open_one.id, True),
        ("AdvanceRollout", ending.id, True),
    }
