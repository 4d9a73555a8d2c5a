"""A trainer that is away for long strands no distillation: it waits, and says since when and why.
A job that has vanished at its trainer ends as failed, and a clock without a job that can end stops.
"""

from __future__ import annotations

from typing import Any

import pytest

from foundation import blobs, bus
from foundation.events import CancelJob
from foundation.ids import derived_id
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import System
from tests.hostile import acts
from tests.tuning.conftest import example_line
from tuning.trainers import ProviderJob, TrainerAway
from tuning.trainers.openai_compatible import OpenAITrainer


def landed() -> Any:
    """A distillation whose data set has just landed."""
    job_id = derived_id("ftjob-", "dataset_1")
    distillation = build.distillation("assembling", dataset_id="dataset_1", job_id=job_id, student=loop.STUDENT)
    dataset = build.dataset(distillation)
    for name in ("train.jsonl", "validation.jsonl", "card.json"):
        blobs.put(dataset.key(name), b"\n".join(map(example_line, range(10))))
    return distillation


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
    distillation = landed()
    acts.deliver_all(system, rounds=15)
    assert system.dead("TUNING") == []
    trainer.away = False
    acts.deliver_all(system, rounds=15)
    assert trainer.started == [distillation.job_id]
    assert loop.fetched(system, distillation.id)["status"] == "training"


def test_a_distillation_says_since_when_it_waits_for_its_trainer_and_why(system: System, trainer: Moody) -> None:
    distillation = landed()
    acts.deliver_all(system, rounds=7)
    paused = loop.fetched(system, distillation.id).get("paused") or {}
    assert "Over capacity" in str(paused.get("reason"))
    assert isinstance(paused.get("since"), int)
    trainer.away = False
    acts.deliver_all(system, rounds=7)
    assert loop.fetched(system, distillation.id).get("paused") is None


def test_a_trainer_that_stays_away_fails_the_distillation_when_patience_is_over(
    system: System, trainer: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trainer.away
    distillation = landed()
    acts.deliver_all(system, rounds=4)
    acts.later(monkeypatch, 25 * 3600)
    acts.deliver_all(system, rounds=15)
    ended = loop.fetched(system, distillation.id)
    assert ended["status"] == "failed"
    assert "Over capacity" in ended["error"]["message"]


def test_a_cancellation_outlives_the_outage_of_its_trainer(
    system: System, trainer: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    distillation = build.distillation("cancelled", dataset_id="dataset_1", job_id="ftjob-1", student=loop.STUDENT)
    build.job(distillation, provider_job_id="at-ftjob-1", status="running")
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
