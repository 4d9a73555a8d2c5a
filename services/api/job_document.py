"""A fine-tuning job as OpenAI shows one, with what else is known of it beside."""

from __future__ import annotations

from typing import Any, Literal

from distillations.formats import Method
from distillations.job import Estimate, Job, JobFailure, JobStatus
from foundation.document import Document
from foundation.later import Pause

type ShownStatus = Literal["validating_files", "queued", "running", "paused", "succeeded", "failed", "cancelled"]

_ORGANIZATION = "stillhouse"
SHOWN: dict[JobStatus, ShownStatus] = {
    "validating_files": "validating_files",
    "queued": "queued",
    "running": "running",
    "paused": "paused",
    "waiting_for_model": "running",
    "deploying": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
}
"""OpenAI's status of each state. It documents `paused`; its SDK's type lacks it."""


class MethodSettings(Document):
    """The settings of a method."""

    hyperparameters: dict[str, Any]


class JobMethod(Document):
    """How it is trained, with the settings under the method's own name."""

    type: Method
    supervised: MethodSettings | None = None
    dpo: MethodSettings | None = None


class JobDocument(Document):
    """A fine-tuning job. Times are in seconds since the epoch."""

    id: str
    object: Literal["fine_tuning.job"] = "fine_tuning.job"
    created_at: int
    status: ShownStatus
    """OpenAI's name of `state`."""
    state: JobStatus
    """Where the job stands. Two states are `running` to OpenAI: `waiting_for_model`, until a person has trained and
    named the model, and `deploying`, until the trained model answers."""
    model: str
    """The base that is trained."""
    fine_tuned_model: str | None
    """The model, once it has answered."""
    training_file: str
    """The file that it trains on; for a job of a distillation its dataset."""
    validation_file: str | None
    hyperparameters: dict[str, Any]
    """What was chosen; the trainer chooses the rest."""
    method: JobMethod
    seed: int
    suffix: str | None
    metadata: dict[str, str] | None
    organization_id: str
    """Always `stillhouse`."""
    integrations: list[Any]
    """There are none here."""
    result_files: list[str]
    """There are none here: the figures of each step are in the job's events."""
    trained_tokens: int | None
    """Tokens of the training file times epochs, as the trainer bills them; null until it says so."""
    estimated_finish: int | None
    finished_at: int | None
    error: JobFailure | None
    """Why it failed: `param` names the field, and the message the lines of a file, that the trainer would not take."""
    trainer: str
    provider_job_id: str | None
    """The trainer's own id of the job; null until it has started."""
    distillation_id: str | None
    """The distillation that waits for it."""
    dataset_id: str | None
    progress: float | None
    """How much of the training is done, from 0 to 1; null where the trainer does not say."""
    to_do: str | None
    """What a person must do before the job goes on."""
    away: Pause | None
    """Null unless it waits for a trainer that is away; for a job of a distillation see its `paused`."""
    stalled_since: int | None
    """Since when it makes no progress though it usually would; null while it does."""
    held: list[str]
    """Why it waits for the approval of its distillation before it starts, one sentence each."""
    max_cost_usd: float | None
    estimate: Estimate | None
    cost_usd: float | None
    """What the training cost: as the trainer says, or its tokens at the price list; null where nobody knows."""
    pause_requested_at: int | None
    cancel_requested_at: int | None


def document_of(job: Job) -> JobDocument:
    """The job as it is shown."""
    fields = job.model_dump(include=set(JobDocument.model_fields))
    shown: dict[str, Any] = {
        "status": SHOWN[job.status],
        "state": job.status,
        "training_file": job.training_file or job.dataset_id or "",
        "suffix": job.suffix or None,
        "method": {"type": job.method, job.method: {"hyperparameters": job.hyperparameters}},
        "organization_id": _ORGANIZATION,
        "integrations": [],
        "result_files": [],
        "estimated_finish": None if job.ended else job.estimated_finish,
    }
    return JobDocument.model_validate({**fields, **shown})
