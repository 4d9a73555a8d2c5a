"""A job: one fine-tuning at a trainer."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from foundation.records import Record


class Job(Record):
    """One fine-tuning job at a trainer. Its id is the intent that the provider's job carries."""

    KIND: ClassVar[str] = "JOB"
    NAME: ClassVar[str] = "fine-tuning job"

    object: Literal["fine_tuning.job"] = "fine_tuning.job"
    distillation_id: str
    dataset_id: str
    trainer: str
    model: str
    hyperparameters: dict[str, Any]
    seed: int
    provider_job_id: str | None = None
    status: Literal["validating_files", "queued", "running", "succeeded", "failed", "cancelled"] = "queued"
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    finished_at: int | None = None
    error: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        return self.status in {"succeeded", "failed", "cancelled"}
