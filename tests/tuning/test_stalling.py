"""A job without a sign of life for its usual time is told once, shown, and shown as well again when it goes on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from distillations.distillation import Distillation
from distillations.job import OPEN_JOBS, Estimate, Job, JobStatus
from foundation import aws, table
from tests.flow.system import CLOCK, FakeContext, System
from tests.tuning.conftest import Scripted, events_of, opened, tick
from tuning.stalling import usual_s
from tuning.trainers import ProviderJob, TrainerAway, TrainerEvent

HOUR = 3600
START = 1_790_000_000


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let it be so many hours after the start."""

    def say(hours: float) -> None:
        for module in ("tuning.stalling", "tuning.follow", "tuning.watch"):
            monkeypatch.setattr(f"{module}.now", lambda: START + int(hours * HOUR))

    return say


def told(system: System) -> list[str]:
    while system.deliver("NOTIFY"):
        pass
    return [notice["object_id"] for notice in system.notifications() if notice["type"] == "fine_tuning.job.stalled"]


def running(*events: TrainerEvent, **fields: Any) -> ProviderJob:
    return ProviderJob("theirs", "running", events=events, **fields)


def test_silence_is_told_once_and_shown(system: System, trainer: Scripted, at: Callable[[float], None]) -> None:
    job = opened(status="running")
    trainer.jobs["theirs"] = running()
    for hours in (0, 1, 11.9):
        at(hours)
        tick(trainer)
    assert (told(system), Job.load(job.id).stalled_since) == ([], None)
    for hours in (12, 12.1, 30):
        at(hours)
        tick(trainer)
    assert told(system) == [job.id]
    assert Job.load(job.id).stalled_since == START
    assert Distillation.load(job.distillation_id or "").stalled_since == START
    assert [message for _, message in events_of(job)] == [
        f"The fine-tuning job {job.id} is running for 12 hours without a sign of progress."
    ]


@pytest.mark.parametrize(
    "sign",
    [running(TrainerEvent("e1", START, "step 7")), running(progress=0.5), ProviderJob("theirs", "queued")],
    ids=["an event", "a figure", "a state"],
)
def test_a_sign_of_life_counts_anew(
    sign: ProviderJob, system: System, trainer: Scripted, at: Callable[[float], None]
) -> None:
    job = opened(status="running")
    trainer.jobs["theirs"] = running()
    for hours in (0, 13):
        at(hours)
        tick(trainer)
    assert Job.load(job.id).stalled_since == START
    trainer.jobs["theirs"] = sign
    at(14)
    tick(trainer)
    assert Job.load(job.id).stalled_since is None
    assert Distillation.load(job.distillation_id or "").stalled_since is None
    at(19)
    tick(trainer)
    assert (Job.load(job.id).stalled_since, told(system)) == (None, [job.id])


@pytest.mark.parametrize("end", [ProviderJob("theirs", "cancelled"), ZeroDivisionError()], ids=["told", "given up"])
def test_what_has_ended_stalls_no_more(
    end: ProviderJob | Exception, system: System, trainer: Scripted, at: Callable[[float], None]
) -> None:
    assert system
    job = opened(status="running", stalled_since=START)
    trainer.jobs["theirs"] = end
    table.update(OPEN_JOBS, job.id, {"failing_since": 1})
    at(14)
    with suppress(ZeroDivisionError):
        tick(trainer)
    ended = Job.load(job.id)
    assert (ended.ended, ended.stalled_since) == (True, None)


def test_a_trainer_that_is_away_is_no_stall(system: System, trainer: Scripted, at: Callable[[float], None]) -> None:
    job = opened(status="running")
    trainer.jobs["theirs"] = TrainerAway("busy")
    for hours in (0, 13):
        at(hours)
        tick(trainer)
    assert (told(system), Job.load(job.id).stalled_since) == ([], None)


@pytest.mark.parametrize(
    ("status", "minutes", "hours"),
    [
        ("validating_files", None, 2),
        ("queued", 600, 6),
        ("running", None, 12),
        ("running", 60, 12),
        ("running", 600, 20),
        ("deploying", 600, 1),
        ("paused", None, float("inf")),
        ("waiting_for_model", None, float("inf")),
    ],
)
def test_the_usual_time_is_that_of_the_state(
    status: JobStatus, minutes: float | None, hours: float, system: System
) -> None:
    assert system
    job = opened(status=status, estimate=Estimate(minutes=minutes))
    assert usual_s(job) == hours * HOUR


def test_a_tick_costs_one_look_a_job_and_an_event_one_look_of_its_own(
    system: System, trainer: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reads of the table are counted too: the list, the job, and whether any is open still."""
    assert system
    for number in (1, 2, 3):
        opened(number, status="running", provider_job_id=f"theirs-{number}")
        trainer.jobs[f"theirs-{number}"] = ProviderJob(f"theirs-{number}", "running")
    monkeypatch.setattr("tuning.watch.trainer_named", lambda _: trainer)
    CLOCK({}, FakeContext())
    trainer.looked.clear()
    reads: list[str] = []
    for operation in ("GetItem", "Query", "UpdateItem", "PutItem"):
        aws.dynamodb().meta.events.register(f"before-call.dynamodb.{operation}", lambda **_: reads.append("read"))
    CLOCK({}, FakeContext())
    assert sorted(trainer.looked) == ["theirs-1", "theirs-2", "theirs-3"]
    assert 3 < len(reads) <= 2 + 3
    trainer.looked.clear()
    CLOCK({"source": "aws.bedrock", "detail": {"jobName": "ftjob-2"}}, FakeContext())
    CLOCK({"source": "aws.sagemaker", "detail": {"TrainingJobName": "ftjob-3"}}, FakeContext())
    CLOCK({"source": "aws.sagemaker", "detail": {"TrainingJobName": "somebody's"}}, FakeContext())
    assert trainer.looked == ["theirs-2", "theirs-3"]
