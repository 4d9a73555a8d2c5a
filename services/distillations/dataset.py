"""A dataset: an immutable training set, and where its files lie."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from foundation.records import Record


class Dataset(Record):
    """An assembled training set, or the reason why there is none."""

    KIND: ClassVar[str] = "DATASET"
    NAME: ClassVar[str] = "dataset"

    object: Literal["dataset"] = "dataset"
    distillation_id: str
    status: Literal["ready", "failed"]
    card: dict[str, Any] = Field(default_factory=dict)
    error: dict[str, str] | None = None

    def key(self, name: str) -> str:
        return dataset_key(self.id, name)


def dataset_key(dataset_id: str, name: str) -> str:
    """Where a file of a dataset lies: train.jsonl, validation.jsonl, manifest.jsonl, card.json."""
    return f"datasets/{dataset_id}/{name}"
