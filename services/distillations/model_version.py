"""A model version: what a job produced."""

from __future__ import annotations

from typing import ClassVar, Literal

from foundation.records import Record


class ModelVersion(Record):
    """What a job produced; `id` is the name under which it answers."""

    KIND: ClassVar[str] = "MODEL"
    NAME: ClassVar[str] = "model"

    object: Literal["model"] = "model"
    base: str
    job_id: str
    dataset_id: str
    distillation_id: str
    trainer: str
