"""A dataset: an immutable training set, its card, and where its files lie."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, field_serializer

from completions.completion import Completion
from completions.sources import StoredCompletions
from distillations.failure import Failure
from distillations.file_source import FileSource
from distillations.formats import Method
from distillations.grades import Agreement, Augmented, DatasetRun
from distillations.leaks import Leak
from distillations.recipe import VALIDATION_SHARE, Recipe, RowSource, UsedRecipe
from evals.data_sources import FileId
from evals.run import Run
from evals.slicing import group_of
from foundation import table
from foundation.document import Document
from foundation.records import Record
from providers.terms import TeacherTerms

type Source = Annotated[StoredCompletions | FileId, Field(discriminator="type")]
"""Rows: a filter on stored completions, or an uploaded file."""


class DatasetId(Document):
    """A dataset as what a distillation trains on: its completions, by its recipe, less the test rows."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["dataset"]
    id: str


type TrainingSource = Annotated[StoredCompletions | FileId | DatasetId, Field(discriminator="type")]
type Status = Literal["queued", "grading", "making", "ready", "failed"]
_OPEN: tuple[Status, ...] = ("queued", "grading", "making")
OPEN_DATASETS = "OPENDATASETS"
"""The partition of the list of datasets that wait to be made by themselves."""
CANCELLED = "cancelled"
"""The code of the error of a dataset that was cancelled."""
TO_GO_ON = "Ask for it again, which goes on with what was paid, and then for the distillation."
LEAST_EXAMPLES = 10
"""The examples to train on without which no trainer starts."""


class DatasetCard(Document):
    """What a training set holds and what was left out of it."""

    object: Literal["dataset.card"] = "dataset.card"
    id: str
    created_at: int
    """Seconds since the epoch."""
    distillation_id: str | None = None
    """The distillation that it was made for; null for one that was made by itself."""
    teacher: str | None = None
    """The model whose answers it has; null where the filter names none."""
    teacher_terms: TeacherTerms | None = None
    """Whether the terms of the teacher's provider let its answers train another model, as the stack's owner noted."""
    student: str | None = None
    """The model that it was made for; null for one that was made by itself."""
    recipe: UsedRecipe
    selected: int | None = None
    """The completions that the recipe's filter selected, and what was written beside them: `rows` and all that were
    `dropped` together."""
    rows: int
    """All examples: `train_rows` and `validation_rows` together."""
    train_rows: int
    """The examples that train, each once."""
    validation_rows: int
    dropped: dict[str, int]
    """By curation rule, how many completions it kept out."""
    changed: dict[str, int] = Field(default_factory=dict)
    """By curation rule, how many completions it changed or repeated."""
    masked: dict[str, int] = Field(default_factory=dict)
    """By kind, how often personal data was masked in the completions that came so far."""
    train_lines: int | None = None
    """The lines of the training file: more than `train_rows` where rows are repeated."""
    contradicted: list[str]
    """The first completions whose answer differs from one that trains on the same input."""
    malformed: list[str] = Field(default_factory=list)
    """The first completions of which no line comes that the trainer takes, each with the reason."""
    corrected: list[str] = Field(default_factory=list)
    """The first completions to which a person's answer stands in the examples, and not the teacher's."""
    leaks: list[Leak] = Field(default_factory=list)
    """The first completions that each rule found to leak test rows, with those rows. All of them are in the rows."""
    runs: list[DatasetRun] = Field(default_factory=list)
    """The runs that graded its rows, with what they cost; in a dry run those that would, with their estimates."""
    agreement: list[Agreement] = Field(default_factory=list)
    """How far the teacher agreed with itself, one of each step `consensus`."""
    warnings: list[str] = Field(default_factory=list)
    """What to look at before training: the first sentences of the report's, at most eight."""
    synthetic: int = 0
    """The examples whose input the teacher wrote. Each is marked in the rows and the manifest, and none validates."""
    augmented: list[Augmented] = Field(default_factory=list)
    """What was written for each rare slice."""
    history_turns: int = 0
    """The assistant turns that stand before the answers of all examples, whoever said them: context, or learnt, too, as
    the recipe's `train_on_history` says."""


class Dataset(Record):
    """A training set: as it was asked for, and its card once it is made, or the reason why there is none.

    Its id follows from the completions, the recipe and the test rows: who asks for the same gets the same one.
    """

    KIND: ClassVar[str] = "DATASET"
    NAME: ClassVar[str] = "dataset"

    model_config = ConfigDict(use_attribute_docstrings=True)

    object: Literal["dataset"] = "dataset"
    distillation_id: str | None = None
    """The distillation that it was made for; null for one that was made by itself."""
    status: Status
    """`grading` while it waits for a run that grades its rows, `making` once it has the grades."""
    source: list[RowSource] = Field(default_factory=list)
    """The filters that selected the completions, and the files whose lines are rows; for one of a distillation, see its
    card."""
    recipe: Recipe | None = None
    """How it is made; for one of a distillation, see its card."""
    held_out: Source | None = None
    """The test rows that must not train; for one of a distillation, its own."""
    production: StoredCompletions | None = None
    """The traffic that the report holds it against; null for the newest completions of the source's own filters."""
    teacher_terms: list[TeacherTerms] = Field(default_factory=list)
    """What was noted, when it was asked for, of the terms of the providers of the models that its filters name."""
    trainer: str = "default"
    """The kind of trainer whose examples its lines are."""
    dry_run: bool = False
    """Whether nothing is written but the report and what became of each completion."""
    runs: list[DatasetRun] = Field(default_factory=list)
    """The runs that its recipe needed so far; the last one may be open."""
    attempt: int = 0
    """How often it was asked for again after it had failed."""
    card: DatasetCard | None = None
    """Null until it is ready, and where it failed."""
    held: list[str] = Field(default_factory=list)
    """Why no job trains on it until its distillation is approved, one sentence each; empty where nothing is held."""
    error: Failure | None = None

    @property
    def method(self) -> Method:
        """How a job trains on it, once it is made."""
        return self.card.recipe.method if self.card else "supervised"

    @property
    def is_open(self) -> bool:
        """Whether it is still being made."""
        return self.status in _OPEN

    def change_open(self, changes: Mapping[str, Any]) -> bool:
        """Change it if it is still being made; False where it has ended or was deleted."""
        values: dict[str, Any] = {status: status for status in _OPEN}
        return self.change(changes, condition=f"#status IN ({', '.join(map(':{}'.format, _OPEN))})", values=values)

    @property
    def is_cancelled(self) -> bool:
        """Whether a person has canceled it."""
        return self.error is not None and self.error.code == CANCELLED

    def give_up(self, code: str, message: str) -> list[Run]:
        """Let it end as failed where it is open; the runs that it had under way, which are canceled now.

        To plan a canceled run again announces its end.
        """
        self.change_open({"status": "failed", "error": Failure(code=code, message=message)})
        # A run may have been begun since this was read. Whoever begins one from now on finds that it has ended.
        return (Dataset.find(self.id) or self).cancel_runs()

    def cancel_runs(self) -> list[Run]:
        """The runs that it had under way, which are canceled now."""
        runs = [run for needed in self.runs if (run := Run.find(needed.run_id or ""))]
        return [run for run in runs if run.cancel()]

    def create(self) -> bool:
        """Write it, its entry in the list of open ones first where it waits to be made."""
        if self.status == "queued":
            self.open()
        return super().create()

    def open(self) -> None:
        """Put it on the list of open ones, so that it is asked for again where its message is lost."""
        table.put({"pk": OPEN_DATASETS, "sk": self.id})

    @property
    def traffic(self) -> list[StoredCompletions]:
        """The filters of the traffic that the report holds it against."""
        if self.production:
            return [self.production]
        return [source for source in self.source if isinstance(source, StoredCompletions)]

    @property
    def files(self) -> list[FileSource]:
        """The uploaded files whose lines are rows."""
        return [source for source in self.source if isinstance(source, FileSource)]

    def key(self, name: str) -> str:
        return dataset_key(self.id, name)

    def grades_key(self, name: str) -> str:
        """Where the grades of the run of this name lie, once they are stored."""
        return self.key(f"grades/{name}.jsonl")

    @field_serializer("source")
    def _what_was_asked(self, source: list[RowSource]) -> list[dict[str, Any]]:
        return [one.model_dump(mode="json", exclude_none=True) for one in source]


def split_unit(completion: Completion, input_key: str, group_by: str | None) -> str:
    """What of a completion decides whether it trains or validates: its group, or its question where it has none."""
    group = group_of(completion.row(with_sample=False)["item"], group_by) if group_by else None
    return input_key if group is None else f"group:{group}"


def validates(seed: int, unit: str, share: float = VALIDATION_SHARE) -> bool:
    """Whether the examples of a unit validate, or train: that follows from the seed and the unit."""
    digest = hashlib.sha256(f"{seed}:{unit}".encode()).digest()
    return int.from_bytes(digest[:8]) / (1 << 64) < share


def dataset_key(dataset_id: str, name: str) -> str:
    """Where a file of a dataset lies: `train.jsonl`, `grades/…`, `card.json` and so on."""
    return f"datasets/{dataset_id}/{name}"


def dataset_of(key: str) -> str:
    """The id of the dataset that a file belongs to; the inverse of `dataset_key`."""
    return key.split("/")[1]
