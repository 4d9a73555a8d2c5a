"""A job: one fine-tuning at a trainer, for a distillation or from an uploaded file, and its states."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from distillations.failure import Failure
from distillations.formats import Method
from foundation import table
from foundation.bounds import CutName, CutText
from foundation.document import Document
from foundation.later import Pause
from foundation.records import Record

OPEN_JOBS = "OPENJOBS"
"""The partition of the list of jobs that are looked at until they end."""

type JobStatus = Literal[
    "validating_files",
    "queued",
    "running",
    "paused",
    "waiting_for_model",
    "deploying",
    "succeeded",
    "failed",
    "cancelled",
]
"""OpenAI's states, among them `paused`, and two of ours: `waiting_for_model`, until a person has trained and named it,
and `deploying`, from the end of the training until the model answers."""

_ENDS: tuple[JobStatus, ...] = ("succeeded", "failed", "cancelled")
FOLLOWING: dict[JobStatus, frozenset[JobStatus]] = {
    # The first state of a distillation's job is `queued`: OpenAI's jobs go back from it to `validating_files`.
    "queued": frozenset({"validating_files", "running", "paused", "waiting_for_model", "deploying", *_ENDS}),
    "validating_files": frozenset({"queued", "running", "paused", "waiting_for_model", "deploying", *_ENDS}),
    "running": frozenset({"queued", "paused", "deploying", *_ENDS}),
    "paused": frozenset({"validating_files", "queued", "running", "deploying", *_ENDS}),
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
    distillation_id: str | None = None
    """The distillation that waits for it; null for a job that was asked for by itself."""
    learning_curve_id: str | None = None
    """The learning curve that waits for it."""
    dataset_id: str | None = None
    """The dataset of the distillation, whose files it trains on."""
    training_file: str | None = None
    """The uploaded file that it trains on; null for a distillation's job."""
    validation_file: str | None = None
    """The uploaded file that validates."""
    trainer: str
    """The name of the trainer."""
    model: str
    """The student, untrained."""
    suffix: str = ""
    """Goes into the name of the model."""
    metadata: dict[str, str] | None = None
    method: Method = "supervised"
    """Whether it trains on examples of right answers, or on pairs."""
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
    max_cost_usd: float | None = None
    """What the estimate may come to, in US dollars."""
    estimate: Estimate | None = None
    attempts_cost_usd: float | None = None
    """What all attempts of its distillation were thought to cost together, as long as it is held."""
    held: list[str] = Field(default_factory=list)
    """Why it waits for an approval before it starts, one sentence each: it would cost more than it may."""
    approved_at: int | None = None
    """When somebody approved what it may cost, in seconds since the epoch, as the next."""
    booked_at: int | None = None
    """In the month of this time it is booked; null until it is about to start."""
    cost_usd: float | None = None
    """What the training cost: as the trainer says, or its tokens at the price list; null where nobody knows."""
    progress: float | None = None
    """How much of the training is done, from 0 to 1; null where the trainer does not say."""
    estimated_finish: int | None = None
    """When the trainer thinks it will end, in seconds since the epoch; null where it does not say."""
    to_do: str | None = None
    """What a person must do before the job goes on."""
    away: Pause | None = None
    """Null unless it waits for a trainer that is away."""
    pause_requested_at: int | None = None
    """When somebody asked to pause it, in seconds since the epoch; null while it is to go on."""
    stalled_since: int | None = None
    """Since when it makes no progress though it usually would, in seconds since the epoch; null while it does."""
    cancel_requested_at: int | None = None
    """Seconds since the epoch, as the next."""
    finished_at: int | None = None
    error: JobFailure | None = None

    def create(self) -> bool:
        """Write it; one that no distillation looks after is put on the list of open ones first."""
        if self.distillation_id is None:
            table.put_new({"pk": OPEN_JOBS, "sk": self.id})
        return super().create()

    @property
    def ended(self) -> bool:
        return self.status in _ENDS

    def may_become(self, status: JobStatus) -> bool:
        return status in FOLLOWING[self.status]
