"""A distillation whose data set has landed, and a trainer that says what a test tells it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from distillations.distillation import Distillation
from distillations.job import OPEN_JOBS, Estimate, Job
from foundation import aws, blobs, table
from foundation.events import StartJob
from foundation.ids import derived_id, new_id
from providers.model_version import ModelVersion
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import FakeContext, System
from tuning.answering import ModelSilent
from tuning.trainers import (
    Deployment,
    Problem,
    ProviderJob,
    Trained,
    TrainerAway,
    TrainerRefused,
    Training,
    TrainingFile,
    made,
    trainer_named,
)
from tuning.watch import watch


@pytest.fixture
def lab_at_rest(lab_server: str) -> Iterator[str]:
    """The lab, whose trainings end with the test: its threads and pytest change the same filters of warnings."""
    yield lab_server
    for thread in threading.enumerate():
        if thread.name.endswith("(_run)"):
            thread.join(20)


@pytest.fixture
def landed(
    system: System,
    lab_at_rest: str,  # noqa: ARG001 - its trainings end after this
) -> Iterator[Callable[..., Distillation]]:
    """A data set with its files; its card is there, the message about it is not delivered."""

    def make(**fields: Any) -> Distillation:
        dataset_id = new_id("dataset_")
        distillation = build.distillation(
            "assembling",
            dataset_id=dataset_id,
            job_id=derived_id("ftjob-", dataset_id),
            **{"student": loop.STUDENT, "name": "Triage of Mails, 2nd", **fields},
        )
        dataset = build.dataset(distillation)
        blobs.put(dataset.key("train.jsonl"), b"\n".join(example_line(number) for number in range(12)))
        blobs.put(dataset.key("validation.jsonl"), b"")
        build.sent(system, "TUNING")
        return distillation

    yield make
    if made.cache_info().currsize:
        trainer_named("default")._client.close()


def example_line(number: int) -> bytes:
    answer = {"role": "assistant", "content": loop.LABELS[number % 3]}
    return json.dumps({"messages": [*loop.messages(number), answer]}).encode()


def pair_line(number: int) -> bytes:
    """A pair: the right label of a mail, and a wrong one."""
    answers = [{"role": "assistant", "content": loop.LABELS[(number + turn) % 3]} for turn in range(2)]
    asked = {"messages": loop.messages(number)}
    return json.dumps({"input": asked, "preferred_output": answers[:1], "non_preferred_output": answers[1:]}).encode()


def stored(lines: bytes) -> TrainingFile:
    """A training file in the bucket."""
    key = f"datasets/{new_id('dataset_')}/train.jsonl"
    blobs.put(key, lines)
    return TrainingFile.at(key)


def opened(number: int = 1, **fields: Any) -> Job:
    """A job at the trainer that is on the list, with the clock running."""
    distillation = build.distillation(
        "training", number=number, dataset_id=f"dataset_{number}", job_id=f"ftjob-{number}"
    )
    job = build.job(distillation, **{"provider_job_id": "theirs", **fields})
    table.put({"pk": OPEN_JOBS, "sk": job.id})
    aws.events().enable_rule(Name="watch")
    return job


def events_of(job: Job) -> list[tuple[str, str]]:
    rows = sorted(table.query(job.id, prefix="EVENT#"), key=lambda row: row["sk"])
    return [(row["level"], row["message"]) for row in rows]


def starting(distillation: Distillation) -> StartJob:
    """What asks for the start of its job."""
    return StartJob(dataset_id=distillation.dataset_id or "")


@pytest.fixture
def at_the_lab(system: System) -> Callable[[Distillation], list[dict[str, Any]]]:
    """The jobs that the lab has for a distillation."""

    def jobs(distillation: Distillation) -> list[dict[str, Any]]:
        url = f"{system.lab}/v1/fine_tuning/jobs"
        listed: list[dict[str, Any]] = httpx.get(
            url, params={"metadata[stillhouse_intent]": distillation.job_id}
        ).json()["data"]
        return listed

    return jobs


@pytest.fixture
def fault(system: System) -> Callable[..., None]:
    """Have the lab fail its next requests of a kind."""

    def order(path: str, **more: Any) -> None:
        httpx.post(f"{system.lab}/lab/faults", json={"path": path, "status": 500, **more}).raise_for_status()

    return order


@dataclass
class Scripted:
    """A trainer of the seam's kind that keeps what it was asked, and answers as a test set it."""

    jobs: dict[str, ProviderJob | Exception] = field(default_factory=dict)
    known: dict[str, ProviderJob] = field(default_factory=dict)
    started: list[Training] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    fails: TrainerAway | TrainerRefused | None = None
    away: bool = False
    forgotten: list[str] = field(default_factory=list)
    deploys: bool = False
    problems: list[Problem] = field(default_factory=list)
    deployment: Deployment | TrainerAway | TrainerRefused | None = None
    deployed: list[Trained] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    silent: ModelSilent | None = None
    retired: list[ModelVersion] = field(default_factory=list)

    def check(self, training: Training) -> list[Problem]:
        assert training.train.size
        return self.problems

    def estimate(self, training: Training) -> Estimate:
        return Estimate(minutes=training.train.size)

    def deploy(self, trained: Trained) -> Deployment | None:
        self.deployed.append(trained)
        if isinstance(self.deployment, Exception):
            raise self.deployment
        return self.deployment

    def retire(self, model: ModelVersion) -> None:
        if self.away:
            raise TrainerAway("busy")
        self.retired.append(model)

    def forget(self, intent: str) -> None:
        if self.away:
            raise TrainerAway("busy")
        self.forgotten.append(intent)

    def find(self, intent: str) -> ProviderJob | None:
        if self.away:
            raise TrainerAway("busy")
        return self.known.get(intent)

    def start(self, training: Training) -> ProviderJob:
        if self.fails:
            raise self.fails
        self.started.append(training)
        return ProviderJob(f"theirs-{len(self.started)}", "queued")

    def look(self, provider_job_id: str) -> ProviderJob:
        self.looked.append(provider_job_id)
        seen = self.jobs[provider_job_id]
        if isinstance(seen, Exception):
            raise seen
        return seen

    def cancel(self, provider_job_id: str) -> None:
        if self.fails:
            raise self.fails
        self.cancelled.append(provider_job_id)

    def answer(self, model: str) -> None:
        """What stands for the model's provider."""
        self.asked.append(model)
        if self.silent:
            raise self.silent


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """A scripted trainer, whose models answer as it says."""
    scripted = Scripted()
    monkeypatch.setattr("tuning.answering.ask", scripted.answer)
    return scripted


def tick(trainer: Any = None) -> None:
    """The clock of open jobs strikes once."""
    watch(FakeContext(), trainer)
