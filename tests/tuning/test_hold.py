"""A job is paused or goes on as was asked last; what the trainer refuses is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import pytest

from distillations.job import Job
from distillations.trainers import TRAINERS
from foundation import table
from foundation.ids import now
from foundation.job_messages import PauseJob
from tests.distilling import build
from tests.flow.system import System
from tests.tuning.conftest import Scripted, opened, tick
from tuning import handler
from tuning.hold import hold
from tuning.trainers import ProviderJob, TrainerAway, TrainerRefused


@dataclass
class Pausing(Scripted):
    held: list[tuple[str, str]] = field(default_factory=list)

    def pause(self, provider_job_id: str) -> None:
        self._do("pause", provider_job_id)

    def resume(self, provider_job_id: str) -> None:
        self._do("resume", provider_job_id)

    def _do(self, what: str, provider_job_id: str) -> None:
        if self.fails:
            raise self.fails
        self.held.append((what, provider_job_id))


def asked(trainer: Any, job: Job, **fields: Any) -> None:
    hold(PauseJob(job_id=job.id, **fields), trainer)


def test_what_was_asked_last_is_done_in_whatever_order_the_messages_come(system: System) -> None:  # noqa: ARG001
    job, trainer = opened(status="running", pause_requested_at=now()), Pausing()
    asked(trainer, job)
    job.change({"pause_requested_at": None})
    asked(trainer, job)
    asked(trainer, job)
    assert trainer.held == [("pause", "theirs"), ("resume", "theirs"), ("resume", "theirs")]


def test_the_watcher_shows_that_it_is_paused_and_that_it_goes_on(system: System, trainer: Scripted) -> None:  # noqa: ARG001
    job = opened(status="running")
    for status in ("paused", "queued", "running"):
        trainer.jobs["theirs"] = ProviderJob("theirs", status, progress=0.25, estimated_finish=build.AT)
        tick(trainer)
        seen = Job.load(job.id)
        assert (seen.status, seen.progress, seen.estimated_finish) == (status, 0.25, build.AT)


@pytest.mark.parametrize(
    "fields", [{"status": "succeeded"}, {"status": "deploying"}, {"provider_job_id": None}], ids=str
)
def test_what_is_not_under_way_is_not_paused(fields: dict[str, Any], system: System) -> None:  # noqa: ARG001
    trainer = Pausing()
    asked(trainer, opened(pause_requested_at=now(), **fields))
    hold(PauseJob(job_id="ftjob-unknown"), trainer)
    assert trainer.held == []


def test_a_trainer_away_is_asked_again_until_the_patience_is_over(system: System) -> None:
    job, trainer = opened(status="running", pause_requested_at=now()), Pausing(fails=TrainerAway("busy"))
    asked(trainer, job)
    [again] = build.sent(system, "TUNING")
    assert (again["type"], again["put_back"], again["away_since"] > 0) == ("PauseJob", 1, True)
    asked(trainer, job, away_since=now() - 25 * 3600, put_back=9)
    assert build.sent(system, "TUNING") == []
    assert "was not paused: busy" in next(table.query(job.id, prefix="EVENT#not_paused"))["message"]


def test_a_refusal_is_told_among_the_jobs_events(system: System) -> None:  # noqa: ARG001
    job = opened(status="running")
    asked(Pausing(fails=TrainerRefused("it is not paused")), job)
    assert "was not resumed: it is not paused" in next(table.query(job.id, prefix="EVENT#not_resumed"))["message"]
    asked(Scripted(), job)
    assert Job.load(job.id).status == "running"


def test_a_pause_that_nobody_asked_the_trainer_for_is_told(system: System) -> None:  # noqa: ARG001
    job = opened(status="running", pause_requested_at=now())
    handler._give_up(PauseJob(job_id=job.id), "it was tried too often")
    assert "was not paused: it was tried too often" in next(table.query(job.id, prefix="EVENT#not_paused"))["message"]
    handler._give_up(PauseJob(job_id="ftjob-unknown"), "why")


@pytest.mark.parametrize("name", sorted({entry.module for entry in TRAINERS.values()}))
def test_the_registry_says_of_each_module_whether_some_trainer_of_it_can(name: str) -> None:
    """One that speaks OpenAI's API elsewhere need not be able to."""
    module = import_module(f"tuning.trainers.{name}")
    made = [kind for kind in vars(module).values() if isinstance(kind, type) and hasattr(kind, "deploys")]
    can = any(hasattr(kind, "pause") and hasattr(kind, "resume") for kind in made)
    assert can == any(entry.pauses for entry in TRAINERS.values() if entry.module == name)
