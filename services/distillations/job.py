"""A job: one fine-tuning at a trainer, and the states that it goes through."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from distillations.failure import Failure
from foundation.records import Record

type JobStatus = Literal["validating_files", "queued", "running", "succeeded", "failed", "cancelled"]

_ENDS: tuple[JobStatus, ...] = ("succeeded", "failed", "cancelled")
FOLLOWING: dict[JobStatus, frozenset[JobStatus]] = {
    # Our own first state is `queued`: OpenAI's jobs go back from it to `validating_files`.
    "queued": frozenset({"validating_files", "running", *_ENDS}),
    "validating_files": frozenset({"queued", "running", *_ENDS}),
    "running": frozenset({"queued", *_ENDS}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}
"""The states that may follow each state. A trainer maps its provider's own states to these."""


class JobFailure(Failure):
    """Why a job failed, in the trainer's words; `param` names what it refused."""

    param: str | None = None


class Job(Record):
    """One fine-tuning job at a trainer. The provider's job carries this job's id, by which it is found again."""

    KIND: ClassVar[str] = "JOB"
    NAME: ClassVar[str] = "fine-tuning job"

    model_config = ConfigDict(use_attribute_docstrings=True)

    object: Literal["fine_tuning.job"] = "fine_tuning.job"
    distillation_id: str
    dataset_id: str
    trainer: str
    """The name of the trainer."""
    model: str
    """The student, untrained."""
    hyperparameters: dict[str, Any] = Field(default_factory=dict)
    """As the caller gave them: each trainer has its own."""
    seed: int
    provider_job_id: str | None = None
    """The trainer's own id of the job; null until it has started."""
    status: JobStatus = "queued"
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    """Tokens of the training set times epochs, as the trainer bills them."""
    finished_at: int | None = None
    """Seconds since the epoch."""
    error: JobFailure | None = None

    @property
    def ended(self) -> bool:
        return self.status in _ENDS

    def may_become(self, status: JobStatus) -> bool:
        return status in FOLLOWING[self.status]
