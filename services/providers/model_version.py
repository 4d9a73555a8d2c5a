"""A model version: what a job produced, or what a person named, and where it answers."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import ConfigDict

from foundation.records import Record


class ModelVersion(Record):
    """A trained model; `id` is the name by which it is asked for."""

    KIND: ClassVar[str] = "MODEL"
    NAME: ClassVar[str] = "model"

    model_config = ConfigDict(use_attribute_docstrings=True)

    object: Literal["model"] = "model"
    provider: str = ""
    """The name of the provider that serves it; empty for the default one."""
    served_as: str = ""
    """Its name, or ARN, at that provider; empty where that is its `id`."""
    artifact: str | None = None
    """What the training made at the trainer, such as a custom model, from which it is deployed."""
    base: str
    """The student that was trained."""
    trainer: str
    """The name of the trainer that made it; empty where a person named a model that no job here made."""
    step: int | None = None
    """After which step of its training it was kept; null for a model at the end of one."""
    job_id: str | None = None
    dataset_id: str | None = None
    distillation_id: str | None = None
    keep: bool = False
    """Whether it is kept though it lost its verdict."""
    retired_at: int | None = None
    """When it was retired: it answers no more. Seconds since the epoch."""

    @property
    def name_there(self) -> str:
        """Its name at its provider."""
        return self.served_as or self.id
