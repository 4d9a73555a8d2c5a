"""A job that has vanished at its trainer ends, and a clock without a job that can end stops; no job stops another."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import boto3
import httpx
import pytest

from distillations.job import Job, JobFailure
from foundation import bus
from foundation.events import CancelJob
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import System
from tests.hostile import acts
from tests.hostile.walls import Walls
from tuning.trainers import ProviderJob
from tuning.trainers.openai_compatible import OpenAITrainer


def vanished(system: System, status: str) -> Any:
    """A distillation whose job nobody at the trainer knows any more."""
    distillation = build.distillation(status, dataset_id="dataset_1", job_id="ftjob-1", student=loop.STUDENT)
    build.dataset(distillation)
    build.job(distillation, provider_job_id="ftjob-that-is-gone", status="running")
    boto3.client("dynamodb").put_item(TableName=system.table, Item={"pk": {"S": "OPENJOBS"}, "sk": {"S": "ftjob-1"}})
    boto3.client("events").enable_rule(Name="watch")
    answer = httpx.get(f"{system.lab}/v1/fine_tuning/jobs/ftjob-that-is-gone")
    assert answer.status_code == 404
    return distillation


def test_a_job_that_vanished_fails_its_distillation(system: System) -> None:
    distillation = vanished(system, "training")
    for _ in range(8):
        acts.tick()
        acts.deliver_all(system)
    ended = loop.fetched(system, distillation.id)
    assert (ended["status"], (ended["error"] or {}).get("code")) == ("failed", "job_failed")
    assert not system.clock_runs()
    assert system.ok("GET", "/v1/fine_tuning/jobs/ftjob-1")["status"] == "failed"


def test_a_job_that_vanished_after_its_cancellation_is_watched_no_longer(system: System) -> None:
    vanished(system, "cancelled")
    bus.send(CancelJob(job_id="ftjob-1"))
    for _ in range(8):
        acts.deliver_all(system)
        acts.tick()
    assert not system.clock_runs()
    assert Job.load("ftjob-1").ended


def test_one_job_with_a_long_reason_stops_no_other(
    system: System, monkeypatch: pytest.MonkeyPatch, walls: Walls
) -> None:
    """The trainer's words enter two rows: they are cut, or the job is looked at alone."""
    assert walls
    ids = []
    for number in (1, 2):
        names = {"dataset_id": f"dataset_{number}", "job_id": f"ftjob-{number}"}
        distillation = build.distillation("training", number=number, student=loop.STUDENT, **names)
        build.dataset(distillation)
        build.job(distillation, provider_job_id=f"at-{number}", status="running")
        boto3.client("dynamodb").put_item(
            TableName=system.table, Item={"pk": {"S": "OPENJOBS"}, "sk": {"S": f"ftjob-{number}"}}
        )
        ids.append(distillation.id)
    words = {"at-1": "no, " * 150_000, "at-2": "no"}
    monkeypatch.setattr(
        OpenAITrainer,
        "look",
        lambda _, job_id: ProviderJob(id=job_id, status="failed", error=JobFailure(code="odd", message=words[job_id])),
    )
    for _ in range(3):
        with suppress(Exception):
            acts.tick()
    acts.deliver_all(system)
    assert [loop.fetched(system, name)["status"] for name in ids] == ["failed", "failed"]


def test_one_job_that_cannot_be_read_stops_no_other(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry of the list of open jobs without its job raises at the watcher's every tick."""
    distillation = build.distillation("training", dataset_id="dataset_1", job_id="ftjob-1", student=loop.STUDENT)
    build.dataset(distillation)
    build.job(distillation, provider_job_id="at-1", status="running")
    for name in ("a-job-that-is-gone", "ftjob-1"):
        boto3.client("dynamodb").put_item(TableName=system.table, Item={"pk": {"S": "OPENJOBS"}, "sk": {"S": name}})
    failure = JobFailure(code="odd", message="no")
    monkeypatch.setattr(
        OpenAITrainer,
        "look",
        lambda _, job_id: ProviderJob(id=job_id, status="failed", error=failure),
    )
    for _ in range(3):
        # Its alarm may tell, once all others are looked at.
        with suppress(Exception):
            acts.tick()
    acts.deliver_all(system)
    assert loop.fetched(system, distillation.id)["status"] == "failed"
