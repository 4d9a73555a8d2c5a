"""A trainer whose models must be deployed, with its far side: names follow from the intent, and are looked up first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from distillations.job import Estimate, JobFailure, JobStatus
from providers.model_version import ModelVersion
from tests.tuning.trainers.far_side import FarSide
from tuning.trainers import (
    Deployment,
    Problem,
    ProviderJob,
    Trained,
    TrainerAway,
    TrainerRefused,
    Training,
)
from tuning.trainers.trainer import state_of

_STATES: dict[str, JobStatus] = {
    "InProgress": "running",
    "running": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "Stopped": "cancelled",
}


@dataclass
class FarDeploying(FarSide):
    lost: Exception = field(default_factory=lambda: TrainerAway("no answer"))
    refusing: bool = False
    jobs: dict[str, str] = field(default_factory=dict)
    sets: set[str] = field(default_factory=set)
    deployments: dict[str, bool] = field(default_factory=dict)
    """By its name, whether it is ready."""
    times: list[str] = field(default_factory=list)
    """The name of every deployment that was ever made."""

    def trainer(self) -> DeployingTrainer:
        return DeployingTrainer(self)

    def refuses(self) -> bool:
        self.refusing = True
        return True

    def becomes(self, intent: str, state: str) -> None:
        self.jobs[intent] = state

    def vanishes(self, intent: str) -> None:
        del self.jobs[intent]

    def state(self, intent: str) -> str:
        return self.jobs[intent]

    def files(self, intent: str) -> list[str]:
        return [name for name in self.sets if name == intent]

    def costs(self) -> list[str]:
        assert len(self.times) == len(set(self.times)), "something was deployed twice"
        return list(self.deployments)

    def deployed(self, intent: str) -> None:
        if intent in self.deployments:
            self.deployments[intent] = True

    def make(self, intent: str) -> None:
        if self.refusing:
            raise TrainerRefused("no such base")
        self.jobs[intent] = "InProgress"
        self.made.append(intent)

    def deploy(self, intent: str) -> None:
        self.deployments[intent] = False
        self.times.append(intent)


@dataclass
class DeployingTrainer:
    far: FarDeploying
    deploys: bool = True

    def check(self, _: Training) -> list[Problem]:
        return []

    def estimate(self, _: Training) -> Estimate:
        return Estimate()

    def find(self, intent: str) -> ProviderJob | None:
        return self.far.call(lambda: ProviderJob(intent, "running") if intent in self.far.jobs else None)

    def start(self, training: Training) -> ProviderJob:
        self.far.call(lambda: self.far.sets.add(training.intent))
        self.far.call(lambda: self.far.make(training.intent))
        return ProviderJob(training.intent, "running")

    def look(self, provider_job_id: str) -> ProviderJob:
        state = self.far.call(lambda: self.far.jobs.get(provider_job_id))
        if state is None:
            raise TrainerRefused("gone", status=404)
        error = JobFailure(code="odd", message="the loss is odd") if state == "failed" else None
        status = state_of(_STATES, state, provider_job_id)
        return ProviderJob(provider_job_id, status, f"model-of-{provider_job_id}", error=error)

    def deploy(self, trained: Trained) -> Deployment | None:
        ready = self.far.call(lambda: self.far.deployments.get(trained.intent))
        if ready is None:
            self.far.call(lambda: self.far.deploy(trained.intent))
        return Deployment(f"deployment-of-{trained.intent}", ready=bool(ready))

    def cancel(self, provider_job_id: str) -> None:
        self.far.call(lambda: self.far.jobs.update({provider_job_id: "Stopped"}))

    def forget(self, intent: str) -> None:
        self.far.call(lambda: self.far.sets.discard(intent))

    def retire(self, model: ModelVersion) -> None:
        self.far.call(lambda: self.far.deployments.pop(model.job_id or "", None))


def make_far_side(_: Any) -> FarDeploying:
    return FarDeploying()
