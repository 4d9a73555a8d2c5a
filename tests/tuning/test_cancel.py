"""A cancelled distillation leaves no job behind: not at the trainer, not on the list, not on the clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from distillations.distillation import Distillation
from distillations.job import Job
from foundation import lease, table
from foundation.errors import RetryLater
from tests.cloud import aws_client
from tests.distilling import build
from tests.flow.system import System
from tests.tuning.conftest import Scripted, card
from tuning.cancel import cancel
from tuning.jobs import LEASE, OPEN
from tuning.start import start
from tuning.trainers import ProviderJob, TrainerAway, TrainerRefused
from tuning.watch import watch

WAITING = {"dataset_id": "dataset_1", "job_id": "ftjob-1"}


def waiting(**fields: Any) -> Job:
    return build.job(build.distillation("cancelled", **WAITING), **fields)


def test_a_running_job_is_cancelled_at_the_trainer_and_its_end_is_seen(
    system: System, landed: Callable[..., Distillation], at_the_lab: Any, context: Any
) -> None:
    one = landed()
    start(card(one), context)
    system.deliver("DISTILLING")
    system.ok("POST", f"/v1/distillations/{one.id}/cancel")

    system.settle()

    assert at_the_lab(one)[0]["status"] in {"cancelled", "succeeded"}
    assert Job.load(one.job_id or "").ended
    assert Distillation.load(one.id).status == "cancelled"
    assert not system.clock_runs()
    assert not any(system.dead(name) for name in system.queues)


def test_the_trainer_is_told_which_job(system: System, trainer: Scripted, context: Any) -> None:  # noqa: ARG001
    job = waiting(provider_job_id="theirs")
    cancel(job.id, context, trainer)
    assert trainer.cancelled == ["theirs"]
    assert not Job.load(job.id).ended


def test_a_job_that_never_started_ends_and_lets_the_clock_stop(
    system: System, landed: Callable[..., Distillation], context: Any
) -> None:
    one = landed()
    with pytest.raises(RetryLater):
        start(card(one), context, Scripted(fails=TrainerAway("busy")))
    one.change({"status": "cancelled"})
    aws_client("events").enable_rule(Name="watch")  # another job's
    trainer = Scripted()

    cancel(one.job_id or "", context, trainer)
    start(card(one), context, trainer)
    watch(trainer)

    assert Job.load(one.job_id or "").status == "cancelled"
    assert (trainer.started, trainer.cancelled, list(table.query(OPEN))) == ([], [], [])
    assert not system.clock_runs()


def test_a_job_that_a_crash_left_at_the_trainer_is_cancelled_there(
    system: System,  # noqa: ARG001
    trainer: Scripted,
    context: Any,
) -> None:
    job = waiting()
    trainer.found[job.id] = ProviderJob("theirs", "running")
    cancel(job.id, context, trainer)
    assert trainer.cancelled == ["theirs"]
    assert Job.load(job.id).status == "cancelled"


def test_while_a_start_is_at_work_the_message_waits(
    system: System,  # noqa: ARG001
    trainer: Scripted,
    context: Any,
) -> None:
    job = waiting()
    with lease.held(job.id, LEASE, context), pytest.raises(RetryLater):
        cancel(job.id, context, trainer)
    assert not Job.load(job.id).ended


def test_a_trainer_away_is_asked_again_and_one_that_refuses_is_not(
    system: System,  # noqa: ARG001
    context: Any,
) -> None:
    job = waiting(provider_job_id="theirs")
    with pytest.raises(RetryLater):
        cancel(job.id, context, Scripted(fails=TrainerAway("busy")))
    cancel(job.id, context, Scripted(fails=TrainerRefused("already over")))


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled", None])
def test_what_has_ended_or_never_was_needs_nothing(
    status: str | None,
    system: System,  # noqa: ARG001
    trainer: Scripted,
    context: Any,
) -> None:
    job = waiting(provider_job_id="theirs", status=status) if status else None
    cancel(job.id if job else "ftjob-unknown", context, trainer)
    assert trainer.cancelled == []
