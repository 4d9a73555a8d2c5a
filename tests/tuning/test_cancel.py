"""A cancelled distillation leaves no job behind: not at the trainer, not on the list, not on the clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from distillations.distillation import Distillation
from distillations.job import OPEN_JOBS, Job
from foundation import bus, lease, table
from foundation.errors import RetryLater
from foundation.events import CancelJob
from foundation.ids import now
from tests.cloud import aws_client
from tests.distilling import build
from tests.flow.system import System
from tests.tuning.conftest import Scripted, starting, tick
from tuning.cancel import cancel
from tuning.jobs import LEASE
from tuning.start import start
from tuning.trainers import ProviderJob, TrainerAway, TrainerRefused

WAITING = {"dataset_id": "dataset_1", "job_id": "ftjob-1"}


def waiting(**fields: Any) -> Job:
    return build.job(build.distillation("cancelled", **WAITING), **fields)


def test_a_running_job_is_cancelled_at_the_trainer_and_its_end_is_seen(
    system: System, landed: Callable[..., Distillation], at_the_lab: Any, context: Any
) -> None:
    distillation = landed()
    start(starting(distillation), context)
    system.deliver("DISTILLING")
    system.ok("POST", f"/v1/distillations/{distillation.id}/cancel")

    system.settle()

    assert at_the_lab(distillation)[0]["status"] in {"cancelled", "succeeded"}
    assert Job.load(distillation.job_id or "").ended
    assert Distillation.load(distillation.id).status == "cancelled"
    assert not system.clock_runs()
    assert not any(system.dead(name) for name in system.queues)


def test_the_trainer_is_told_which_job(system: System, trainer: Scripted, context: Any) -> None:  # noqa: ARG001
    job = waiting(provider_job_id="theirs")
    cancel(CancelJob(job_id=job.id), context, trainer)
    assert trainer.cancelled == ["theirs"]
    assert not Job.load(job.id).ended


def test_a_job_that_never_started_ends_and_lets_the_clock_stop(
    system: System, landed: Callable[..., Distillation], context: Any
) -> None:
    distillation = landed()
    start(starting(distillation), context, Scripted(fails=TrainerAway("busy")))
    distillation.change({"status": "cancelled"})
    aws_client("events").enable_rule(Name="watch")  # another job's
    trainer = Scripted()

    cancel(CancelJob(job_id=distillation.job_id or ""), context, trainer)
    start(starting(distillation), context, trainer)
    tick(trainer)

    assert Job.load(distillation.job_id or "").status == "cancelled"
    assert (trainer.started, trainer.cancelled, list(table.query(OPEN_JOBS))) == ([], [], [])
    assert not system.clock_runs()


def test_a_job_that_a_crash_left_at_the_trainer_is_cancelled_there(
    system: System,  # noqa: ARG001
    trainer: Scripted,
    context: Any,
) -> None:
    job = waiting()
    trainer.known[job.id] = ProviderJob("theirs", "running")
    cancel(CancelJob(job_id=job.id), context, trainer)
    assert trainer.cancelled == ["theirs"]
    assert Job.load(job.id).status == "cancelled"


def test_while_a_start_is_at_work_the_message_waits(
    system: System,  # noqa: ARG001
    trainer: Scripted,
    context: Any,
) -> None:
    job = waiting()
    with lease.held(job.id, LEASE, context), pytest.raises(RetryLater):
        cancel(CancelJob(job_id=job.id), context, trainer)
    assert not Job.load(job.id).ended


def test_a_trainer_away_is_asked_again_and_one_that_refuses_is_not(
    system: System,
    context: Any,
) -> None:
    job = waiting(provider_job_id="theirs")
    cancel(CancelJob(job_id=job.id), context, Scripted(fails=TrainerAway("busy")))
    [again] = build.sent(system, "TUNING")
    assert (again["type"], again["put_back"], again["away_since"] > 0) == ("CancelJob", 1, True)
    cancel(CancelJob(job_id=job.id), context, Scripted(fails=TrainerRefused("already over")))
    assert build.sent(system, "TUNING") == []


@pytest.mark.parametrize(("provider_job_id", "status"), [("theirs", "queued"), (None, "cancelled")])
def test_a_trainer_that_stays_away_is_asked_no_longer_and_the_job_says_so(
    provider_job_id: str | None,
    status: str,
    system: System,
    context: Any,
) -> None:
    """What may still run there is watched on; what never started has ended."""
    job = waiting(provider_job_id=provider_job_id)
    trainer = Scripted(fails=TrainerAway("busy"), away=True)
    cancel(CancelJob(job_id=job.id, away_since=now() - 25 * 3600, put_back=9), context, trainer)
    assert build.sent(system, "TUNING") == []
    assert Job.load(job.id).status == status
    assert "stayed away" in next(table.query(job.id, prefix="EVENT#not_stopped"))["message"]


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled", None])
def test_what_has_ended_or_never_was_needs_nothing(
    status: str | None,
    system: System,  # noqa: ARG001
    trainer: Scripted,
    context: Any,
) -> None:
    job = waiting(provider_job_id="theirs", status=status) if status else None
    cancel(CancelJob(job_id=job.id if job else "ftjob-unknown"), context, trainer)
    assert trainer.cancelled == []


@pytest.mark.parametrize(("started", "status"), [(None, "cancelled"), ("theirs", "running")])
def test_a_cancellation_that_fails_for_good_is_told_and_leaves_no_job_that_never_started(
    started: str | None, status: str, system: System
) -> None:
    job = waiting(provider_job_id=started, status="running" if started else "queued")
    bus.send(CancelJob(job_id=job.id))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tuning.cancel.trainer_named", lambda _: 1 // 0)
        for _ in range(8):
            system.deliver("TUNING")
    assert Job.load(job.id).status == status
    assert [row["sk"] for row in table.query(OPEN_JOBS)] == ([] if started else [job.id]), "its files are still there"
    assert "ZeroDivisionError" in next(table.query(job.id, prefix="EVENT#not_stopped"))["message"]
