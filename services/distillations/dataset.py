"""A dataset: an immutable training set, its card, and where its files lie."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, field_serializer

from completions.sources import StoredCompletions
from distillations.failure import Failure
from foundation.document import Document
from foundation.records import Record
from providers.terms import TeacherTerms

VALIDATION_SHARE = 0.1
"""The share of the examples that validate."""
LEAST_EXAMPLES = 10
"""The examples to train on without which no trainer starts."""


class Recipe(Document):
    """What the training set follows from: the same recipe on the same completions gives the same files."""

    source: StoredCompletions
    """The filter that selected the completions."""
    validation_share: float = Field(ge=0, lt=1)
    """The share of the examples that validate, from 0 to 1."""
    seed: int
    """Decides which examples validate."""
    group_by: str | None = None
    """The metadata key by which a test row and what stands in its group are one conversation."""
    train_on_history: bool = False
    """Whether the assistant turns before an answer train, too; without, they have `weight` 0."""

    @field_serializer("source")
    def _what_was_asked(self, source: StoredCompletions) -> dict[str, Any]:
        return source.model_dump(mode="json", exclude_none=True)


class DatasetCard(Document):
    """What a training set holds and what was left out of it."""

    object: Literal["dataset.card"] = "dataset.card"
    id: str
    created_at: int
    """Seconds since the epoch."""
    distillation_id: str
    teacher: str
    teacher_terms: TeacherTerms | None = None
    """Whether the terms of the teacher's provider let its answers train another model, as the stack's owner noted."""
    student: str
    recipe: Recipe
    selected: int | None = None
    """The completions that the recipe's filter selected: `rows` and all that were `dropped` together."""
    rows: int
    """All examples: `train_rows` and `validation_rows` together."""
    train_rows: int
    validation_rows: int
    dropped: dict[str, int]
    """By curation rule, how many completions it kept out."""
    contradicted: list[str]
    """The first completions whose answer differs from one that trains on the same input."""
    malformed: list[str] = Field(default_factory=list)
    """The first completions of which no line comes that the trainer takes, each with the reason."""
    history_turns: int = 0
    """The assistant turns that stand before the answers of all examples, whoever said them: context, or learnt, too, as
    the recipe's `train_on_history` says."""


class Dataset(Record):
    """An assembled training set with its card, or the reason why there is none."""

    KIND: ClassVar[str] = "DATASET"
    NAME: ClassVar[str] = "dataset"

    model_config = ConfigDict(use_attribute_docstrings=True)

    object: Literal["dataset"] = "dataset"
    distillation_id: str
    status: Literal["ready", "failed"]
    card: DatasetCard | None = None
    """Null where the dataset failed."""
    error: Failure | None = None

    def key(self, name: str) -> str:
        return dataset_key(self.id, name)


def validates(seed: int, input_key: str, share: float = VALIDATION_SHARE) -> bool:
    """Whether an example validates, or trains: that follows from the seed and its input."""
    digest = hashlib.sha256(f"{seed}:{input_key}".encode()).digest()
    return int.from_bytes(digest[:8]) / (1 << 64) < share


def dataset_key(dataset_id: str, name: str) -> str:
    """Where a file of a dataset lies: train.jsonl, validation.jsonl, manifest.jsonl, card.json."""
    return f"datasets/{dataset_id}/{name}"


def dataset_of(key: str) -> str:
    """The id of the dataset that a file belongs to; the inverse of `dataset_key`."""
    return key.split("/")[1]
