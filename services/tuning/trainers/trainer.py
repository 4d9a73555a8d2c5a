"""The seam of trainers: what every trainer does, and how it fails.

A trainer's module has `make_trainer()`, and what that returns the five calls of `Trainer`. A refusal that asking again
will not change raises `TrainerRefused`; whatever may pass raises `TrainerAway`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from distillations.job import JobFailure, JobStatus
from foundation.errors import StillhouseError


class TrainerRefused(StillhouseError):
    """The trainer refuses what it was asked: `code` and the message are its own.

    `status` is that of its HTTP answer.
    """

    def __init__(self, message: str, code: str = "refused", *, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class TrainerAway(StillhouseError):
    """The trainer is busy, out of reach, or answers in a state that its module does not know: ask again later."""


@dataclass(frozen=True)
class Training:
    """The order for a job. `intent` is the id by which `find` finds the job again after a crash.

    `train` and `validation` are JSONL in OpenAI's supervised format; `validation` may be empty. `suffix` is a short
    name for people that goes into the name of the model.
    """

    intent: str
    model: str
    train: bytes
    validation: bytes
    hyperparameters: dict[str, Any]
    seed: int
    suffix: str


@dataclass(frozen=True)
class ProviderJob:
    """A trainer's job, with its provider's state mapped to ours. Times are seconds since the epoch."""

    id: str
    status: JobStatus
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    finished_at: int | None = None
    error: JobFailure | None = None


class Trainer(Protocol):
    """A service that fine-tunes models."""

    def find(self, intent: str) -> ProviderJob | None:
        """The job that was started with this intent; None where none was."""
        ...

    def start(self, training: Training) -> ProviderJob:
        """Start a job. Called only where `find` knows no job of the intent: a second start is a second bill."""
        ...

    def look(self, provider_job_id: str) -> ProviderJob:
        """The job as it stands now."""
        ...

    def cancel(self, provider_job_id: str) -> None:
        """Stop the job; `look` tells when it has ended."""
        ...

    def forget(self, intent: str) -> None:
        """Delete the files that `start` put at the trainer for this intent, also where it broke off."""
        ...
