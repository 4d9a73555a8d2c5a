"""A job: one fine-tuning at a trainer, and the states that it goes through."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from distillations.failure import Failure
from foundation.bounds import CutName, CutText
from foundation.document import Document
from foundation.records import Record

type JobStatus = Literal[
    "validating_files",
    "queued",
    "running",
    "waiting_for_model",
    "deploying",
    "succeeded",
    "failed",
    "cancelled",
]
"""OpenAI's states, and two of ours: `waiting_for_model`, until a person has trained and named it, and `deploying`, from
the end of the training until the model answers."""

_ENDS: tuple[JobStatus, ...] = ("succeeded", "failed", "cancelled")
FOLLOWING: dict[JobStatus, frozenset[JobStatus]] = {
    # Our own first state is `queued`: OpenAI's jobs go back from it to `validating_files`.
    "queued": frozenset({"validating_files", "running", "waiting_for_model", "deploying", *_ENDS}),
    "validating_files": frozenset({"queued", "running", "deploying", *_ENDS}),
    "running": frozenset({"queued", "deploying", *_ENDS}),
    "waiting_for_model": frozenset({"deploying", *_ENDS}),
    "deploying": frozenset(_ENDS),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}
"""The states that may follow each state. A trainer maps its provider's own states to these."""


class JobFailure(Failure):
    """Why a job failed, in the trainer's words; `param` names what it refused."""

    param: CutName | None = None


class Estimate(Document):
    """What a training was thought to cost before it started; null where nobody knows."""

    cost_usd: float | None = None
    minutes: float | None = None


class Checkpoint(Document):
    """A model as it stood after some steps of its training."""

    id: CutName
    created_at: int
    """Seconds since the epoch."""
    model: CutText
    """The name by which it answers at the trainer."""
    step: int
    metrics: dict[str, float] = Field(default_factory=dict)
    """Its figures by the trainer's names, such as `valid_loss`."""


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
    artifact: str | None = None
    """What the training made at the trainer, once it is done; where it answers by itself, the model's name."""
    artifact_provider: str = ""
    """The provider at which the artifact answers by itself; empty for the default one."""
    deployment: str | None = None
    """The model, once it should answer."""
    fine_tuned_model: str | None = None
    """The model, once it has answered."""
    trained_tokens: int | None = None
    """Tokens of the training set times epochs, as the trainer bills them."""
    estimate: Estimate | None = None
    cost_usd: float | None = None
    """What the training cost: as the trainer says, or its tokens at the price list; null where nobody knows."""
    progress: float | None = None
    """How much of the training is done, from 0 to 1; null where the trainer does not say."""
    to_do: str | None = None
    """What a person must do before the job goes on."""
    cancel_requested_at: int | None = None
    """Seconds since the epoch, as the next."""
    finished_at: int | None = None
    error: JobFailure | None = None

    @property
    def ended(self) -> bool:
        return self.status in _ENDS

    def may_become(self, status: JobStatus) -> bool:
        return status in FOLLOWING[self.status]
