"""A trainer that is away for long strands no distillation: it waits, and says since when and why.
A job that has vanished at its trainer ends as failed, and a clock without a job that can end stops.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import boto3
import httpx
import pytest

from distillations.job import Job
from foundation import blobs, bus
from foundation.events import CancelJob
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import System
from tests.hostile import acts
from tests.hostile.walls import Walls
from tuning.trainers import ProviderJob, TrainerAway
from tuning.trainers.openai_compatible import OpenAITrainer


def landed() -> Any:
    """A distillation whose data set has just landed."""
    one = build.distillation("assembling", dataset_id="dataset_1", job_id="ftjob-1", student=loop.STUDENT)
    dataset = build.dataset(one)
    for name in ("train.jsonl", "validation.jsonl", "card.json"):
        blobs.put(dataset.key(name), b"{}")
    return one


class Moody:
    """A trainer that is away until it is told otherwise; it counts how often it was asked to start."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.away = True
        self.started: list[str] = []
        monkeypatch.setattr(OpenAITrainer, "find", lambda _, intent: self.find(intent))
        monkeypatch.setattr(OpenAITrainer, "start", lambda _, training: self.start(training))
        monkeypatch.setattr(OpenAITrainer, "look", lambda _, job_id: self.look(job_id))
        monkeypatch.setattr(OpenAITrainer, "cancel", lambda _, job_id: self.look(job_id))

    def find(self, intent: str) -> ProviderJob | None:
        self.look(intent)
        return ProviderJob(id=f"at-{intent}", status="queued") if intent in self.started else None

    def start(self, training: Any) -> ProviderJob:
        self.look(training.intent)
        self.started.append(training.intent)
        return ProviderJob(id=f"at-{training.intent}", status="queued")

    def look(self, job_id: str) -> ProviderJob:
        if self.away:
            raise TrainerAway("Over capacity until tonight.")
        return ProviderJob(id=job_id, status="running")


@pytest.fixture
def trainer(system: System, monkeypatch: pytest.MonkeyPatch) -> Moody:
    assert system
    # What goes back to its queue with a delay comes at once.
    send = bus.send
    monkeypatch.setattr(bus, "send", lambda message, **_: send(message))
    return Moody(monkeypatch)


def test_an_outage_of_the_trainer_is_waited_out_and_the_job_starts_once(system: System, trainer: Moody) -> None:
    one = landed()
    acts.deliver_all(system, rounds=15)
    assert system.dead("TUNING") == []
    trainer.away = False
    acts.deliver_all(system, rounds=15)
    assert trainer.started == [one.job_id]
    assert loop.fetched(system, one.id)["status"] == "training"


def test_a_distillation_says_since_when_it_waits_for_its_trainer_and_why(system: System, trainer: Moody) -> None:
    one = landed()
    acts.deliver_all(system, rounds=7)
    paused = loop.fetched(system, one.id).get("paused") or {}
    assert "Over capacity" in str(paused.get("reason"))
    assert isinstance(paused.get("since"), int)
    trainer.away = False
    acts.deliver_all(system, rounds=7)
    assert loop.fetched(system, one.id).get("paused") is None


def test_a_trainer_that_stays_away_fails_the_distillation_when_patience_is_over(
    system: System, trainer: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trainer.away
    one = landed()
    acts.deliver_all(system, rounds=4)
    acts.later(monkeypatch, 25 * 3600)
    acts.deliver_all(system, rounds=15)
    ended = loop.fetched(system, one.id)
    assert ended["status"] == "failed"
    assert "Over capacity" in ended["error"]["message"]


def test_a_cancellation_outlives_the_outage_of_its_trainer(
    system: System, trainer: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = build.distillation("cancelled", dataset_id="dataset_1", job_id="ftjob-1", student=loop.STUDENT)
    build.job(one, provider_job_id="at-ftjob-1", status="running")
    stopped: list[str] = []

    def cancel(_: Any, job_id: str) -> None:
        trainer.look(job_id)
        stopped.append(job_id)

    monkeypatch.setattr(OpenAITrainer, "cancel", cancel)
    bus.send(CancelJob(job_id="ftjob-1"))
    acts.deliver_all(system, rounds=15)
    assert system.dead("TUNING") == []
    trainer.away = False
    acts.deliver_all(system, rounds=15)
    assert stopped == ["at-ftjob-1"]


def vanished(system: System, status: str) -> Any:
    """A distillation whose job nobody at the trainer knows any more."""
    one = build.distillation(status, dataset_id="dataset_1", job_id="ftjob-1", student=loop.STUDENT)
    build.dataset(one)
    build.job(one, provider_job_id="ftjob-that-is-gone", status="running")
    boto3.client("dynamodb").put_item(TableName=system.table, Item={"pk": {"S": "OPENJOBS"}, "sk": {"S": "ftjob-1"}})
    boto3.client("events").enable_rule(Name="watch")
    found = httpx.get(f"{system.lab}/v1/fine_tuning/jobs/ftjob-that-is-gone")
    assert found.status_code == 404
    return one


def test_a_job_that_vanished_fails_its_distillation(system: System) -> None:
    one = vanished(system, "training")
    for _ in range(8):
        acts.tick()
        acts.deliver_all(system)
    ended = loop.fetched(system, one.id)
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
        one = build.distillation("training", number=number, student=loop.STUDENT, **names)
        build.dataset(one)
        build.job(one, provider_job_id=f"at-{number}", status="running")
        boto3.client("dynamodb").put_item(
            TableName=system.table, Item={"pk": {"S": "OPENJOBS"}, "sk": {"S": f"ftjob-{number}"}}
        )
        ids.append(one.id)
    words = {"at-1": "no, " * 150_000, "at-2": "no"}
    monkeypatch.setattr(
        OpenAITrainer,
        "look",
        lambda _, job_id: ProviderJob(id=job_id, status="failed", error={"message": words[job_id]}),
    )
    for _ in range(3):
        with suppress(Exception):
            acts.tick()
    acts.deliver_all(system)
    assert [loop.fetched(system, name)["status"] for name in ids] == ["failed", "failed"]


def test_one_job_that_cannot_be_read_stops_no_other(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry of the list of open jobs without its job raises at the watcher's every tick."""
    one = build.distillation("training", dataset_id="dataset_1", job_id="ftjob-1", student=loop.STUDENT)
    build.dataset(one)
    build.job(one, provider_job_id="at-1", status="running")
    for name in ("a-job-that-is-gone", "ftjob-1"):
        boto3.client("dynamodb").put_item(TableName=system.table, Item={"pk": {"S": "OPENJOBS"}, "sk": {"S": name}})
    monkeypatch.setattr(
        OpenAITrainer, "look", lambda _, job_id: ProviderJob(id=job_id, status="failed", error={"message": "no"})
    )
    for _ in range(3):
        # Its alarm may tell, once all others are looked at.
        with suppress(Exception):
            acts.tick()
    acts.deliver_all(system)
    assert loop.fetched(system, one.id)["status"] == "failed"
