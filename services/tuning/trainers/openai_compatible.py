"""OpenAI's fine-tuning API, at OpenAI or at whoever speaks it, through the official SDK.

Nothing is retried here: a second POST could be a second job, and a function that asks a trainer that hangs three times
is stopped before it knows that the trainer is away. Callers come again; after a doubtful answer they ask `find` first.
A model answers under its name as soon as it is trained: there is nothing to deploy. Events are what a look shows if
they can be had; without them it is a look all the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from itertools import islice
from typing import Any

import openai
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from pydantic import ValidationError

from distillations.estimates import training_cost_usd
from distillations.job import Checkpoint, Estimate, JobFailure, JobStatus
from distillations.trainers import TRAINERS
from foundation.bounds import LONGEST_NAME, cut
from providers import prices
from providers.key import KeyUnusable
from providers.model_version import ModelVersion
from providers.routing import DEFAULT
from tuning.trainers.account import Account, name_there
from tuning.trainers.checks import problems_of
from tuning.trainers.dialects import DIALECTS, Serving, order_of
from tuning.trainers.openai_files import OpenAIFiles
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

_INTENT = "stillhouse_intent"
_PAUSED = "paused"
_LOOKED_THROUGH = 500
_LATEST_EVENTS = 100
_MOST_FIGURES = 64
_LARGEST = 1e300
# Twice within the 120 s of a function.
_TIMEOUT_S = 40
_NOWHERE = "https://provider.invalid/v1"
"""What is asked in the account of a provider that is not configured any more: nobody answers."""
_AT_DEFAULT = Account(DEFAULT)
_STATES: dict[str, JobStatus] = {
    "validating_files": "validating_files",
    "queued": "queued",
    "running": "running",
    _PAUSED: "paused",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
}


def make_trainer(account: Account) -> OpenAITrainer:
    """The trainer in the account of a provider. The SDK asks for the key before each request."""
    client = OpenAI(base_url=account.base_url or _NOWHERE, api_key=account.key, timeout=_TIMEOUT_S)
    module = DIALECTS[account.kind].serving
    serving = import_module(f"tuning.trainers.{module}").make_serving(account) if module else None
    return OpenAITrainer(client, account, serving)


class OpenAITrainer:
    """Jobs of the Fine-tuning API, or of one that was made after it."""

    def __init__(self, client: OpenAI, account: Account = _AT_DEFAULT, serving: Serving | None = None) -> None:
        self._client = client.with_options(max_retries=0)
        self._provider = account.name
        self._entry = TRAINERS[account.kind]
        self._dialect = DIALECTS[account.kind]
        self._files = OpenAIFiles(self._client, wait=self._dialect.waits_for_files)
        self._serving = serving

    @property
    def deploys(self) -> bool:
        return self._serving is not None

    def check(self, training: Training) -> list[Problem]:
        lacking = self._serving.problems() if self._serving else []
        return lacking or problems_of(training, self._entry)

    def estimate(self, training: Training) -> Estimate:
        """What it costs; OpenAI says how long it takes once it has begun."""
        size = training.train.size
        epochs = self._entry.hyperparameters.DEFAULT_EPOCHS
        cost = training_cost_usd(training.model, size, training.hyperparameters, epochs)
        return Estimate(cost_usd=cost)

    def find(self, intent: str) -> ProviderJob | None:
        by_file = self._dialect.found_by == "file"
        with _translated():
            files = {file.id for file in self._files.of(intent)} if by_file else set()
            filters: dict[str, Any] = {} if by_file else {"metadata": {_INTENT: intent}}
            for number, job in enumerate(self._client.fine_tuning.jobs.list(limit=100, **filters)):
                if job.training_file in files or (job.metadata or {}).get(_INTENT) == intent:
                    return _job(job)
                if number >= _LOOKED_THROUGH:
                    break
        return None

    def start(self, training: Training) -> ProviderJob:
        with _translated():
            extra = order_of(self._dialect, training.hyperparameters, training.method)
            if training.validation:
                extra["validation_file"] = self._files.ready(training.intent, "validation", training.validation)
            if self._dialect.found_by == "metadata":
                extra["metadata"] = {_INTENT: training.intent}
            job = self._client.fine_tuning.jobs.create(
                model=name_there(training.model),
                training_file=self._files.ready(training.intent, "train", training.train),
                seed=training.seed,
                suffix=training.suffix,
                **extra,
            )
        return _job(job)

    def look(self, provider_job_id: str) -> ProviderJob:
        with _translated():
            job = _job(self._client.fine_tuning.jobs.retrieve(provider_job_id))
        checkpoints = self._checkpoints(job.id) if job.status == "succeeded" else ()
        provider = "" if self._provider == DEFAULT else self._provider
        if self._dialect.artifact == "job" and job.status == "succeeded":
            job = replace(job, fine_tuned_model=job.id)
        events = self._events(job.id)
        return replace(job, provider=provider, events=events, checkpoints=checkpoints, progress=_progress(events))

    def _events(self, provider_job_id: str) -> tuple[TrainerEvent, ...]:
        """The latest events, the oldest of them first; none where the provider does not show them."""
        with suppress(openai.APIError):
            page = self._client.fine_tuning.jobs.list_events(provider_job_id, limit=_LATEST_EVENTS)
            return tuple(_readable(_event, reversed(page.data or [])))
        return ()

    def _checkpoints(self, provider_job_id: str) -> tuple[Checkpoint, ...]:
        with suppress(openai.APIError):
            page = self._client.fine_tuning.jobs.checkpoints.list(provider_job_id, limit=_LATEST_EVENTS)
            return tuple(_readable(_checkpoint, page.data or []))
        return ()

    def deploy(self, trained: Trained) -> Deployment | None:
        return self._serving.deploy(trained) if self._serving else None

    def cancel(self, provider_job_id: str) -> None:
        with _translated():
            self._client.fine_tuning.jobs.cancel(provider_job_id)

    def pause(self, provider_job_id: str) -> None:
        if self._status(provider_job_id) != _PAUSED:
            with _translated():
                self._client.fine_tuning.jobs.pause(provider_job_id)

    def resume(self, provider_job_id: str) -> None:
        if self._status(provider_job_id) == _PAUSED:
            with _translated():
                self._client.fine_tuning.jobs.resume(provider_job_id)

    def _status(self, provider_job_id: str) -> str:
        with _translated():
            return self._client.fine_tuning.jobs.retrieve(provider_job_id).status

    def forget(self, intent: str) -> None:
        with _translated():
            self._files.forget(intent)

    def retire(self, model: ModelVersion) -> None:
        if self._serving:
            self._serving.retire(model)
            return
        with _translated(), suppress(openai.NotFoundError):
            self._client.models.delete(model.name_there)


def _job(job: FineTuningJob) -> ProviderJob:
    return ProviderJob(
        id=job.id,
        status=state_of(_STATES, job.status, f"job {job.id}", job_id=job.id),
        fine_tuned_model=job.fine_tuned_model,
        trained_tokens=job.trained_tokens,
        cost_usd=_cost_usd(job),
        finished_at=job.finished_at,
        estimated_finish=job.estimated_finish or None,
        error=_failure(job),
    )


def _progress(events: Sequence[TrainerEvent]) -> float | None:
    """The share of the steps that are done, by the latest event that says how many there are; None without one."""
    for event in reversed(events):
        total = event.metrics.get("total_steps", 0)
        if total > 0 and "step" in event.metrics:
            return min(1.0, max(0.0, event.metrics["step"] / total))
    return None


def _cost_usd(job: FineTuningJob) -> float | None:
    """The tokens that it trained at the price list; None where one of them is not known."""
    price = prices.training_nanodollars(job.model)
    return None if price is None or job.trained_tokens is None else round(job.trained_tokens * price / 1e9, 4)


def _failure(job: FineTuningJob) -> JobFailure | None:
    """Why a job failed; None for an `error` without a message, which OpenAI sends with jobs that have not failed."""
    if not job.error or not job.error.message:
        return None
    return JobFailure(code=job.error.code or "job_failed", message=job.error.message, param=job.error.param)


def _readable[Said, Kept](read: Callable[[Said], Kept], said: Iterable[Said]) -> Iterator[Kept]:
    """What can be read of what a provider tells beside the job: the rest is no reason not to follow the job."""
    for one in said:
        with suppress(ValidationError, AttributeError, TypeError):
            yield read(one)


def _event(event: FineTuningJobEvent) -> TrainerEvent:
    data = event.data if event.type == "metrics" and isinstance(event.data, dict) else {}
    return TrainerEvent(event.id, event.created_at, event.message, event.level, _figures(data))


def _checkpoint(checkpoint: FineTuningJobCheckpoint) -> Checkpoint:
    return Checkpoint(
        id=checkpoint.id,
        created_at=checkpoint.created_at,
        model=checkpoint.fine_tuned_model_checkpoint,
        step=checkpoint.step_number,
        metrics=_figures(checkpoint.metrics.to_dict() if checkpoint.metrics else {}),
    )


def _figures(data: dict[str, Any]) -> dict[str, float]:
    """What is a finite number in the data of an event; the first of it where it is much."""
    numbers = {cut(name, LONGEST_NAME): float(value) for name, value in data.items() if _is_figure(value)}
    return dict(islice(numbers.items(), _MOST_FIGURES))


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < _LARGEST and math.isfinite(value)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (openai.RateLimitError, openai.InternalServerError, openai.APIConnectionError, KeyUnusable) as error:
        raise TrainerAway(str(error)) from error
    except openai.APIStatusError as error:
        code = error.code or f"http_{error.status_code}"
        raise TrainerRefused(_message(error), code=code, status=error.status_code, param=error.param) from error


def _message(error: openai.APIStatusError) -> str:
    body = error.body
    return str(body["message"]) if isinstance(body, dict) and body.get("message") else error.message
