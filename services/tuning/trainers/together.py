"""Together's fine-tuning, served by an endpoint of its own that stops when nobody asks it.

Together has no id of our choice for a job: the suffix of its model's name is the intent, and `find` reads the list of
jobs for it. Endpoint and deployment are named by the intent and looked up before they are made. A deployment costs by
the minute while it runs; after an hour without a call it stops by itself.

Assumed, since no page that was read says it: the list of jobs is whole; a deployment may be deleted while it runs; a
price is in billionths of a dollar, as Together's own command reads it; an endpoint whose deployment is going cannot be
deleted yet, and says so by 409 or 400. Its older endpoints (`/v1/endpoints`) and its serverless serving of adapters,
which its newest page on deployments no longer has, are not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx2

from distillations.formats import Method
from distillations.hyperparameters import TogetherHyperparameters
from distillations.job import Estimate, JobFailure, JobStatus
from distillations.trainers import TRAINERS
from providers.model_version import ModelVersion
from tuning.trainers import hosted, together_files
from tuning.trainers.account import Account, name_there
from tuning.trainers.checks import problems_of
from tuning.trainers.trainer import (
    Deployment,
    Problem,
    ProviderJob,
    Trained,
    TrainerAway,
    TrainerEvent,
    TrainerRefused,
    Training,
    state_of,
)

_JOBS = "/v1/fine-tunes"
_EVALS = 5
"""How often the validation file is looked at."""
_NANODOLLARS = 1e9
_INACTIVE_MINUTES = 60
"""After how long without calls a deployment stops. Together takes 30 to 1,440 minutes."""
_STATES: dict[str, JobStatus] = {
    "pending": "queued",
    "queued": "queued",
    "running": "running",
    "compressing": "running",
    "uploading": "running",
    "cancel_requested": "running",
    "cancelled": "cancelled",
    "error": "failed",
    "user_error": "failed",
    "completed": "succeeded",
}
_DEPLOYED = {
    "DEPLOYMENT_STATE_PROVISIONING": False,
    "DEPLOYMENT_STATE_READY": True,
    "DEPLOYMENT_STATE_SCALING": True,
    "DEPLOYMENT_STATE_DEGRADED": True,
    "DEPLOYMENT_STATE_FAILED": False,
    "DEPLOYMENT_STATE_STOPPING": False,
    "DEPLOYMENT_STATE_STOPPED": False,
}
_NEVER = frozenset({"DEPLOYMENT_STATE_FAILED", "DEPLOYMENT_STATE_STOPPING", "DEPLOYMENT_STATE_STOPPED"})
_LEVELS = {"error": "error", "warning": "warn"}
_ERRORS = frozenset({"job_error", "job_user_error"})
_FIXED = {"warmup_ratio": 0.0, "max_grad_norm": 1.0, "weight_decay": 0.0}
"""What the SDK's request must have, at the SDK's defaults."""
_GOING = frozenset({400, 409})


def make_trainer(account: Account) -> TogetherTrainer:
    """The trainer in an account of Together."""
    return TogetherTrainer(account)


class TogetherTrainer:
    """Fine-tuning jobs of one project, that of the key."""

    deploys = True

    def __init__(self, account: Account, http: httpx2.Client | None = None) -> None:
        self._provider = account.name
        self._api = hosted.Api(account, http)

    def check(self, training: Training) -> list[Problem]:
        return problems_of(training, TRAINERS["together"])

    def estimate(self, training: Training) -> Estimate:
        return hosted.estimate(training, TogetherHyperparameters.DEFAULT_EPOCHS)

    def find(self, intent: str) -> ProviderJob | None:
        jobs = self._api.get(_JOBS).get("data") or []
        job = next((job for job in jobs if job.get("suffix") == intent), None)
        return _job(job) if job else None

    def start(self, training: Training) -> ProviderJob:
        files = {
            split: together_files.uploaded(self._api, training.intent, split, file)
            for split, file in training.files.items()
        }
        return _job(self._api.post(_JOBS, _order(training, files)))

    def look(self, provider_job_id: str) -> ProviderJob:
        job = _job(self._api.get(f"{_JOBS}/{provider_job_id}"))
        told = self._told(f"{_JOBS}/{provider_job_id}/events", "data")
        measured = self._told(f"{_JOBS}/{provider_job_id}/metrics", "metrics") if job.status == "succeeded" else []
        events = (*_events(told), *_steps(measured, job.finished_at or 0))
        return replace(job, events=events, error=_failure(told) if job.status == "failed" else None)

    def deploy(self, trained: Trained) -> Deployment | None:
        endpoints = self._endpoints()
        name = trained.intent.lower()
        endpoint = self._endpoint(endpoints, name) or self._api.post(endpoints, {"name": name})
        deployments = f"{endpoints}/{endpoint['id']}/deployments"
        found = self._first(deployments) or self._api.post(deployments, self._deployment(endpoints, trained, name))
        status = found["status"]
        failed = status["state"] in _NEVER
        return Deployment(
            served_as=found["name"],
            provider=self._provider,
            ready=state_of(_DEPLOYED, status["state"], f"deployment {name}"),
            error=JobFailure(code="deployment_failed", message=_words(status)) if failed else None,
        )

    def cancel(self, provider_job_id: str) -> None:
        self._api.post(f"{_JOBS}/{provider_job_id}/cancel", {})

    def forget(self, intent: str) -> None:
        together_files.forget(self._api, intent)

    def retire(self, model: ModelVersion) -> None:
        """Delete the deployments, then the endpoint; the weights are kept. Raises TrainerAway until all is gone."""
        endpoints = self._endpoints()
        endpoint = self._endpoint(endpoints, (model.job_id or "").lower())
        if endpoint is None:
            return
        here = f"{endpoints}/{endpoint['id']}"
        for deployment in self._api.get(f"{here}/deployments").get("data") or []:
            self._api.delete(f"{here}/deployments/{deployment['id']}")
        try:
            self._api.delete(here)
        except TrainerRefused as refusal:
            if refusal.status in _GOING:
                raise TrainerAway(f"The endpoint's deployments are not gone yet: {refusal}") from refusal
            raise

    def _told(self, path: str, field: str) -> list[hosted.Json]:
        """What Together tells beside a job; nothing where it does not, since it is a look all the same."""
        with suppress(TrainerAway, TrainerRefused):
            told: list[hosted.Json] = self._api.get(path).get(field) or []
            return told
        return []

    def _endpoints(self) -> str:
        """The path of the endpoints of the key's project."""
        project = (self._api.get("/v3/whoami").get("project") or {}).get("id")
        if not project:
            raise TrainerRefused("The key belongs to no project of Together: make one in a project.", "no_project")
        return f"/v2/projects/{project}/endpoints"

    def _endpoint(self, endpoints: str, name: str) -> hosted.Json | None:
        """The endpoint of this name, which Together shows behind the name of the project."""
        listed = self._api.get(endpoints, filter=f'name = "{name}"').get("data") or []
        return next((one for one in listed if one["name"].rpartition("/")[2] == name), None)

    def _first(self, deployments: str) -> hosted.Json | None:
        listed = self._api.get(deployments).get("data") or []
        return listed[0] if listed else None

    def _deployment(self, endpoints: str, trained: Trained, name: str) -> hosted.Json:
        project = endpoints.rpartition("/")[0].removeprefix("/v2/")
        return {
            "name": name,
            "model": f"{project}/{trained.artifact}",
            "autoscaling": {"minReplicas": 1, "maxReplicas": 1},
            "inactiveTimeout": _INACTIVE_MINUTES,
        }


def _order(training: Training, files: dict[str, str]) -> hosted.Json:
    given = {name: value for name, value in training.hyperparameters.items() if value != "auto"}
    order: hosted.Json = {
        "model": name_there(training.model),
        "training_file": files["train"],
        "suffix": training.intent,
        "random_seed": training.seed,
        "training_method": _method(training.method, given.pop("beta", None)),
        "n_epochs": given.pop("n_epochs", TogetherHyperparameters.DEFAULT_EPOCHS),
        "batch_size": given.pop("batch_size", "max"),
        "learning_rate": given.pop("learning_rate", 1e-5),
        "n_checkpoints": 1,
        **_FIXED,
    }
    if given.pop("full", False):
        order["training_type"] = {"type": "Full"}
    elif "lora_rank" in given:
        rank = given.pop("lora_rank")
        order["training_type"] = {"type": "Lora", "lora_r": rank, "lora_alpha": 2 * rank}
    if "max_length" in given:
        order["max_seq_length"] = given.pop("max_length")
    if "validation" in files:
        order |= {"validation_file": files["validation"], "n_evals": _EVALS}
    return order


def _method(method: Method, beta: float | None) -> hosted.Json:
    if method == "supervised":
        return {"method": "sft", "train_on_inputs": False}
    return {"method": "dpo", **({"dpo_beta": beta} if beta is not None else {})}


def _job(job: hosted.Json) -> ProviderJob:
    status = state_of(_STATES, job.get("status", ""), f"job {job['id']}", job_id=job["id"])
    ended = status in ("succeeded", "failed", "cancelled")
    price = job.get("total_price")
    return ProviderJob(
        id=job["id"],
        status=status,
        fine_tuned_model=_artifact(job) if status == "succeeded" else None,
        trained_tokens=job.get("token_count"),
        cost_usd=round(price / _NANODOLLARS, 4) if ended and price is not None else None,
        finished_at=_seconds(job.get("updated_at")) if ended else None,
    )


def _artifact(job: hosted.Json) -> str | None:
    """The model with the adapter merged into it, in the registry of the project; None where the job names none."""
    model, revision = job.get("model_object_id"), job.get("model_object_revision_id")
    if not model:
        return None
    return f"models/{model}/revisions/{revision}" if revision else f"models/{model}"


def _events(told: list[hosted.Json]) -> Iterator[TrainerEvent]:
    """Events have no ids: time, type and step tell them apart. The SDK spells levels and types in either case."""
    for event in told:
        step, kind, time = event.get("step"), event.get("type", ""), event.get("created_at", "")
        metrics = {"step": float(step)} if isinstance(step, int) and step > 0 else {}
        level = _LEVELS.get(str(event.get("level", "")).lower().removeprefix("legacy_i"), "info")
        yield TrainerEvent(
            f"{time}-{kind}-{step}", _seconds(time) or 0, str(event.get("message", kind)), level, metrics
        )


def _steps(measured: list[hosted.Json], at: int) -> Iterator[TrainerEvent]:
    """The figures of each step by Together's names. The times of the steps are not among them."""
    for number, figures in enumerate(measured):
        step = int(figures.get("global_step") or figures.get("step") or number)
        metrics = {name: float(value) for name, value in figures.items() if isinstance(value, int | float)}
        yield TrainerEvent(f"metrics-{step}", at, f"Step {step}", metrics={**metrics, "step": float(step)})


def _failure(told: list[hosted.Json]) -> JobFailure:
    errors = [event.get("message") for event in told if str(event.get("type")).lower() in _ERRORS]
    said = errors[-1] if errors else None
    return JobFailure(code="job_failed", message=str(said or "Together says that the job failed, and no more."))


def _words(status: hosted.Json) -> str:
    return str(status.get("message") or f"Together says {status['state']} and no more.")


def _seconds(time: Any) -> int | None:
    with suppress(ValueError, TypeError):
        return int(datetime.fromisoformat(time).timestamp())
    return None
