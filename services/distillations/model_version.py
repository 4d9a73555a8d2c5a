"""A model version: what a job produced."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import ConfigDict

from foundation.records import Record


class ModelVersion(Record):
    """A trained model; `id` is the name under which it answers."""

    KIND: ClassVar[str] = "MODEL"
    NAME: ClassVar[str] = "model"

    model_config = ConfigDict(use_attribute_docstrings=True)

    object: Literal["model"] = "model"
    base: str
    """The student that was trained."""
    job_id: str
    dataset_id: str
    distillation_id: str
    trainer: str
    """The name of the trainer that made it."""
