"""The watcher: what changed, who is told, and when the clock stops."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from distillations import lineage
from distillations.distillation import Distillation
from distillations.job import OPEN_JOBS, Job, JobFailure
from foundation import aws, table
from foundation.ids import now
from providers.model_version import ModelVersion
from tests.distilling import build
from tests.flow.system import System
from tests.tuning.conftest import Scripted, events_of, opened, starting, tick
from tuning.start import start
from tuning.trainers import ProviderJob, TrainerAway, TrainerRefused
from tuning.watch import watch

ODD = JobFailure(code="bad", message="line 7 is odd", param="training_file")
DONE = ProviderJob("theirs", "succeeded", fine_tuned_model=build.MODEL, trained_tokens=900, finished_at=build.AT + 5)


def open_jobs() -> list[str]:
    return [row["sk"] for row in table.query(OPEN_JOBS)]


def test_a_change_is_recorded_once_and_the_job_stays_open(system: System, trainer: Scripted) -> None:
    job = opened()
    trainer.jobs["theirs"] = ProviderJob("theirs", "running")

    for _ in range(2):
        tick(trainer)

    seen = Job.load(job.id)
    assert (seen.status, seen.finished_at, seen.fine_tuned_model) == ("running", None, None)
    assert events_of(job) == [("info", "queued -> running")]
    assert open_jobs() == [job.id]
    assert system.clock_runs()
    assert not build.sent(system, "DISTILLING")


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_webhooks_are_told_once_how_a_job_of_its_own_has_ended(status: Any, system: System, trainer: Scripted) -> None:
    job = opened(2)
    job.change({"distillation_id": None})
    theirs = DONE if status == "succeeded" else ProviderJob("theirs", status, error=ODD if status == "failed" else None)
    trainer.jobs["theirs"] = theirs
    opened(3, provider_job_id="of a distillation")
    trainer.jobs["of a distillation"] = ProviderJob("of a distillation", "failed", error=ODD)
    forget, trainer.forget = trainer.forget, lambda _: (_ for _ in ()).throw(TrainerAway("busy"))  # type: ignore[method-assign]

    tick(trainer)
    tick(trainer)
    assert job.id in open_jobs(), "its files are still at the trainer"
    trainer.forget = forget  # type: ignore[method-assign]
    tick(trainer)

    told = [(message["event_type"], message["object_id"]) for message in build.sent(system, "NOTIFY")]
    assert told == [(f"fine_tuning.job.{status}", job.id)]
    assert open_jobs() == []


def test_a_job_at_which_nobody_could_look_is_told_as_failed(
    system: System, trainer: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = opened()
    job.change({"distillation_id": None})
    trainer.jobs["theirs"] = RuntimeError("nobody planned this")
    monkeypatch.setattr("tuning.watch.patience_over", lambda _: True)
    with pytest.raises(RuntimeError):
        tick(trainer)
    told = [(message["event_type"], message["object_id"]) for message in build.sent(system, "NOTIFY")]
    assert told == [("fine_tuning.job.failed", job.id)]


def test_a_state_that_cannot_follow_changes_nothing(system: System, trainer: Scripted) -> None:
    """A trainer's answer may be old: what runs does not go back to its files."""
    job = opened(status="running")
    trainer.jobs["theirs"] = ProviderJob("theirs", "validating_files")

    tick(trainer)

    assert Job.load(job.id).status == "running"
    assert events_of(job) == []
    assert (open_jobs(), system.clock_runs()) == ([job.id], True)


def test_success_registers_the_model_tells_the_distillation_and_stops_the_clock(
    system: System, trainer: Scripted
) -> None:
    job = opened()
    trainer.jobs["theirs"] = DONE

    tick(trainer)

    seen = Job.load(job.id)
    assert (seen.status, seen.fine_tuned_model, seen.trained_tokens) == ("succeeded", build.MODEL, 900)
    assert seen.finished_at
    assert trainer.asked == [build.MODEL]
    model = ModelVersion.load(build.MODEL)
    assert (model.base, model.job_id, model.dataset_id) == (build.STUDENT, job.id, "dataset_1")
    assert (model.provider, model.name_there, model.artifact) == ("", build.MODEL, build.MODEL)
    assert {"from": job.id, "to": build.MODEL} in lineage.graph(build.MODEL)["edges"]
    assert [message["distillation_id"] for message in build.sent(system, "DISTILLING")] == ["distill_1"]
    assert open_jobs() == []
    assert not system.clock_runs()
    tick(trainer)
    assert not build.sent(system, "DISTILLING")


def test_a_failure_keeps_the_trainers_words_and_registers_nothing(system: System, trainer: Scripted) -> None:
    job = opened()
    trainer.jobs["theirs"] = ProviderJob("theirs", "failed", error=ODD)

    tick(trainer)

    seen = Job.load(job.id)
    assert (seen.status, seen.error) == ("failed", ODD)
    assert seen.finished_at
    assert events_of(job) == [("error", "queued -> failed: line 7 is odd")]
    assert ModelVersion.page().data == []
    assert build.sent(system, "DISTILLING")
    assert open_jobs() == []


@pytest.mark.parametrize("lost", [TrainerAway("busy"), TrainerRefused("gone", "http_404")])
def test_a_job_without_news_holds_no_other_up(lost: Exception, system: System, trainer: Scripted) -> None:
    first, second = opened(1, provider_job_id="lost"), opened(2)
    trainer.jobs = {"lost": lost, "theirs": DONE}

    tick(trainer)

    assert (Job.load(first.id).status, Job.load(second.id).status) == ("queued", "succeeded")
    assert open_jobs() == [first.id]
    assert system.clock_runs()


def test_an_absence_shows_on_the_distillation_until_the_trainer_answers(system: System, trainer: Scripted) -> None:
    assert system
    opened()
    trainer.jobs["theirs"] = TrainerAway("over capacity")
    tick(trainer)
    first = Distillation.load("distill_1").paused
    tick(trainer)
    assert first
    assert first.reason == "over capacity"
    assert Distillation.load("distill_1").paused == first
    trainer.jobs["theirs"] = ProviderJob("theirs", "running")
    tick(trainer)
    assert Distillation.load("distill_1").paused is None


def test_a_job_stays_on_the_list_until_its_training_files_have_left_the_trainer(
    system: System, trainer: Scripted
) -> None:
    job = opened()
    trainer.jobs["theirs"] = replace(DONE, finished_at=now())
    trainer.away = True
    tick(trainer)
    assert (Job.load(job.id).status, open_jobs(), trainer.forgotten) == ("succeeded", [job.id], [])
    assert build.sent(system, "DISTILLING"), "the distillation does not wait for that"
    trainer.away = False
    tick(trainer)
    assert (open_jobs(), trainer.forgotten) == ([], [job.id])


def test_training_files_that_cannot_be_deleted_are_left_when_the_patience_is_over(
    system: System, trainer: Scripted
) -> None:
    assert system
    opened()
    trainer.jobs["theirs"] = ProviderJob("theirs", "failed", finished_at=build.AT - 25 * 3600)
    trainer.away = True
    tick(trainer)
    assert open_jobs() == []


def test_a_trainer_that_stays_away_ends_the_job_as_failed(system: System, trainer: Scripted) -> None:
    job = opened()
    trainer.jobs["theirs"] = TrainerAway("over capacity")
    table.update(OPEN_JOBS, job.id, {"away_since": now() - 25 * 3600})
    tick(trainer)
    error = Job.load(job.id).error
    assert error
    assert (error.code, "over capacity" in error.message) == ("trainer_away", True)
    assert build.sent(system, "DISTILLING")
    assert (open_jobs(), system.clock_runs()) == ([], False)


def test_a_crash_before_the_distillation_was_told_leaves_the_job_on_the_list(
    system: System, trainer: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = opened()
    trainer.jobs["theirs"] = DONE
    with monkeypatch.context() as patch:
        patch.setattr("foundation.bus.send", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tick(trainer)
    assert open_jobs() == [job.id]

    tick(trainer)

    assert len(build.sent(system, "DISTILLING")) == 1
    assert open_jobs() == []


def test_a_job_that_opens_while_the_clock_is_stopped_starts_it_again(
    system: System, trainer: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.events().enable_rule(Name="watch")
    real = aws.events().disable_rule

    def disable(**arguments: Any) -> Any:
        real(**arguments)
        table.put({"pk": OPEN_JOBS, "sk": "ftjob-late"})

    monkeypatch.setattr(aws.events(), "disable_rule", disable)
    tick(trainer)

    assert system.clock_runs()


def test_the_lab_is_followed_to_a_model_that_answers(
    system: System, landed: Callable[..., Distillation], context: Any
) -> None:
    distillation = landed()
    start(starting(distillation), context)
    deadline = time.monotonic() + 20
    while system.clock_runs() and time.monotonic() < deadline:
        tick()

    job = Job.load(distillation.job_id or "")
    assert job.status == "succeeded"
    assert job.trained_tokens
    assert system.ok("GET", f"/v1/models/{job.fine_tuned_model}")["id"] == job.fine_tuned_model


@dataclass
class Hanging(Scripted):
    """A trainer of whose jobs each look takes all the time that there is."""

    looked_at: list[str] = field(default_factory=list)
    left_ms: int = 60_000

    def look(self, provider_job_id: str) -> ProviderJob:
        self.looked_at.append(provider_job_id)
        self.left_ms = 10_000
        raise TrainerAway("hangs")

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


@pytest.mark.usefixtures("system")
def test_jobs_of_a_trainer_that_hangs_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2, 3):
        opened(number, provider_job_id=f"theirs-{number}")
    hanging, start_s = Hanging(), now()
    for minute in range(3):
        monkeypatch.setattr("tuning.watch.now", lambda minute=minute: start_s + 60 * minute)
        hanging.left_ms = 60_000
        watch(hanging, hanging)
    assert sorted(hanging.looked_at) == ["theirs-1", "theirs-2", "theirs-3"]


@pytest.mark.usefixtures("system")
def test_a_function_whose_whole_time_is_short_looks_at_every_job() -> None:
    """The local stack's functions have 30 seconds."""
    for number in (1, 2, 3):
        opened(number, provider_job_id=f"theirs-{number}")
    short = Hanging(left_ms=30_000)
    short.look = lambda name: short.looked_at.append(name) or ProviderJob(name, "running")  # type: ignore[method-assign, func-returns-value]
    watch(short, short)
    assert len(short.looked_at) == 3


def test_a_job_at_which_nobody_can_look_ends_as_failed_when_the_patience_is_over(
    system: System, trainer: Scripted
) -> None:
    job = opened()
    trainer.jobs["theirs"] = ZeroDivisionError()
    for hours, status in ((0, "queued"), (23, "queued"), (25, "failed")):
        table.update(OPEN_JOBS, job.id, {"failing_since": now() - hours * 3600})
        with pytest.raises(ZeroDivisionError):
            tick(trainer)
        assert Job.load(job.id).status == status
    ended = Job.load(job.id)
    assert ended.error
    assert (ended.error.code, "ZeroDivisionError" in ended.error.message) == ("watch_failed", True)
    assert len(build.sent(system, "DISTILLING")) == 1
    assert open_jobs() == []
    tick(trainer)
    assert not system.clock_runs()


def test_an_end_that_cannot_be_written_holds_no_other_up(
    system: System, trainer: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert system
    for number in (1, 2):
        opened(number, provider_job_id=f"theirs-{number}")
    trainer.jobs |= {"theirs-1": ZeroDivisionError(), "theirs-2": ZeroDivisionError()}
    for job_id in open_jobs():
        table.update(OPEN_JOBS, job_id, {"failing_since": now() - 25 * 3600})
    tried: list[str] = []

    def fails(job: Job, *_: Any) -> None:
        tried.append(job.id)
        raise ZeroDivisionError

    monkeypatch.setattr("tuning.watch._end", fails)
    with pytest.raises(ZeroDivisionError):
        tick(trainer)
    assert sorted(tried) == ["ftjob-1", "ftjob-2"]


def test_a_look_that_works_again_forgets_that_it_did_not(system: System, trainer: Scripted) -> None:
    assert system
    job = opened()
    trainer.jobs["theirs"] = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        tick(trainer)
    trainer.jobs["theirs"] = ProviderJob("theirs", "running")
    tick(trainer)
    assert [row["failing_since"] for row in table.query(OPEN_JOBS)] == [0]
    assert Job.load(job.id).status == "running"


def test_a_trainer_that_is_no_longer_known_strands_no_job(system: System) -> None:
    job = opened()
    job.change({"trainer": "of-an-earlier-version"})
    with pytest.raises(KeyError):
        tick()
    table.update(OPEN_JOBS, job.id, {"failing_since": now() - 25 * 3600})
    with pytest.raises(KeyError):
        tick()
    assert Job.load(job.id).status == "failed"
    assert len(build.sent(system, "DISTILLING")) == 1
