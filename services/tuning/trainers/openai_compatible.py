"""OpenAI's fine-tuning API, at OpenAI or at whoever speaks it, through the official SDK.

Nothing is retried here: a second POST could be a second job, and a function that asks a trainer that hangs three times
is stopped before it knows that the trainer is away. Callers come again; after a doubtful answer they ask `find` first.
Every state that the API has is in `_STATES`; one that it lacks is no answer (`TrainerAway`): it fails no job, stops no
other, and is logged until somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal

import openai
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob

from distillations.job import JobFailure, JobStatus
from foundation.settings import settings
from providers.registry import provider_key
from tuning.trainers.trainer import ProviderJob, TrainerAway, TrainerRefused, Training

_INTENT = "stillhouse_intent"
_PURPOSE: Literal["fine-tune"] = "fine-tune"
_LOOKED_THROUGH = 500
# Twice within the 120 s of a function.
_TIMEOUT_S = 40
_STATES: dict[str, JobStatus] = {
    "validating_files": "validating_files",
    "queued": "queued",
    "running": "running",
    "paused": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
}


def make_trainer() -> OpenAITrainer:
    """The trainer at the default provider."""
    key = provider_key() or "none"
    return OpenAITrainer(OpenAI(base_url=settings().PROVIDER_BASE_URL, api_key=key, timeout=_TIMEOUT_S))


class OpenAITrainer:
    """Jobs of the Fine-tuning API; the intent travels in the job's metadata."""

    def __init__(self, client: OpenAI) -> None:
        self._client = client.with_options(max_retries=0)

    def find(self, intent: str) -> ProviderJob | None:
        with _translated():
            jobs = self._client.fine_tuning.jobs.list(metadata={_INTENT: intent}, limit=100)
            for number, job in enumerate(jobs):
                if (job.metadata or {}).get(_INTENT) == intent:
                    return _job(job)
                if number >= _LOOKED_THROUGH:
                    break
        return None

    def start(self, training: Training) -> ProviderJob:
        with _translated():
            extra: dict[str, Any] = {}
            if training.validation:
                extra["validation_file"] = self._upload(training.intent, "validation", training.validation)
            if training.hyperparameters:
                supervised = {"hyperparameters": training.hyperparameters}
                extra["method"] = {"type": "supervised", "supervised": supervised}
            job = self._client.fine_tuning.jobs.create(
                model=training.model,
                training_file=self._upload(training.intent, "train", training.train),
                seed=training.seed,
                suffix=training.suffix,
                metadata={_INTENT: training.intent},
                **extra,
            )
        return _job(job)

    def look(self, provider_job_id: str) -> ProviderJob:
        with _translated():
            return _job(self._client.fine_tuning.jobs.retrieve(provider_job_id))

    def cancel(self, provider_job_id: str) -> None:
        with _translated():
            self._client.fine_tuning.jobs.cancel(provider_job_id)

    def forget(self, intent: str) -> None:
        with _translated():
            for file in self._client.files.list(purpose=_PURPOSE):
                if file.filename.startswith(f"{intent}-"):
                    self._delete(file.id)

    def _delete(self, file_id: str) -> None:
        """Delete a file; nothing happens where it is gone already."""
        with suppress(openai.NotFoundError):
            self._client.files.delete(file_id)

    def _upload(self, intent: str, split: str, lines: bytes) -> str:
        file = (f"{intent}-{split}.jsonl", lines, "application/jsonl")
        return self._client.files.create(file=file, purpose=_PURPOSE).id


def _job(job: FineTuningJob) -> ProviderJob:
    if job.status not in _STATES:
        raise TrainerAway(f"job {job.id} has the status '{job.status}', which is not known here")
    return ProviderJob(
        id=job.id,
        status=_STATES[job.status],
        fine_tuned_model=job.fine_tuned_model,
        trained_tokens=job.trained_tokens,
        finished_at=job.finished_at,
        error=_failure(job),
    )


def _failure(job: FineTuningJob) -> JobFailure | None:
    """Why a job failed; None for an `error` without a message, which OpenAI sends with jobs that have not failed."""
    if not job.error or not job.error.message:
        return None
    return JobFailure(code=job.error.code or "job_failed", message=job.error.message, param=job.error.param)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (openai.RateLimitError, openai.InternalServerError, openai.APIConnectionError) as error:
        raise TrainerAway(str(error)) from error
    except openai.APIStatusError as error:
        code = error.code or f"http_{error.status_code}"
        raise TrainerRefused(_message(error), code=code, status=error.status_code) from error


def _message(error: openai.APIStatusError) -> str:
    body = error.body
    return str(body["message"]) if isinstance(body, dict) and body.get("message") else error.message
