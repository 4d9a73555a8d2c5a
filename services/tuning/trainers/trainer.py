"""What every trainer does, and how it fails.

`start` may be called again after a crash only when `find` does not know the intent. A refusal that asking again
will not change raises `TrainerRefused`; one that may pass raises `TrainerAway`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from distillations.job import JobFailure, JobStatus
from foundation.errors import StillhouseError


class TrainerRefused(StillhouseError):
    """The trainer will not do this; `code` and the message are its own."""

    def __init__(self, message: str, code: str = "refused") -> None:
        super().__init__(message)
        self.code = code


class TrainerAway(StillhouseError):
    """The trainer is busy, out of reach, or says what this code does not understand: nobody knows how it stands."""


@dataclass(frozen=True)
class Training:
    """What to train: `intent` names it at the trainer, whatever is redelivered."""

    intent: str
    model: str
    train: bytes
    validation: bytes
    hyperparameters: dict[str, Any]
    seed: int
    suffix: str


@dataclass(frozen=True)
class ProviderJob:
    """A trainer's job in our words."""

    id: str
    status: JobStatus
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    finished_at: int | None = None
    error: JobFailure | None = None


class Trainer(Protocol):
    """Someone who fine-tunes."""

    def find(self, intent: str) -> ProviderJob | None:
        """The job that carries this intent, if it was started."""
        ...

    def start(self, training: Training) -> ProviderJob: ...

    def look(self, provider_job_id: str) -> ProviderJob: ...

    def cancel(self, provider_job_id: str) -> None: ...
