"""A distillation and what it leads to: dataset, job, model version, verdict. Shapes only, and their keys.

`distilling` alone changes a distillation's status; every other service writes the object that is its own, and says
so with an `AdvanceDistillation`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from foundation.evals import FileId
from foundation.ids import derived_id
from foundation.resources import Record
from foundation.stored import StoredCompletions

type Source = Annotated[StoredCompletions | FileId, Field(discriminator="type")]
type Status = Literal[
    "queued",
    "measuring",
    "assembling",
    "blocked",
    "training",
    "evaluating",
    "deciding",
    "completed",
    "failed",
    "cancelled",
]
TERMINAL = frozenset({"completed", "failed", "cancelled"})
ROLES = ("teacher", "baseline", "distilled")


class Gate(BaseModel):
    """When money may be spent, and what counts as a gain.

    `expected_gain` is what the plan asks the rows to be able to show; half the gap between teacher and baseline
    where it is not given. `max_cost_usd` bounds the training. `group_by` names a metadata key whose rows belong
    together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    expected_gain: float | None = Field(default=None, gt=0, le=1)
    min_gain: float = Field(default=0.0, ge=0, lt=1)
    useful_gain: float | None = Field(default=None, ge=0, lt=1)
    margin: float = Field(default=0.02, ge=0, lt=1)
    power: float = Field(default=0.8, gt=0, lt=1)
    max_cost_usd: float | None = Field(default=None, ge=0)
    group_by: str | None = None

    @property
    def useful(self) -> float:
        """The gain below which a model is no better for practical purposes."""
        return self.useful_gain if self.useful_gain is not None else max(0.02, self.min_gain)


class Step(BaseModel):
    """One change of status."""

    status: Status
    at: int


class Distillation(Record):
    """One pass of the whole loop."""

    KIND: ClassVar[str] = "DISTILLATION"
    NAME: ClassVar[str] = "distillation"

    object: Literal["distillation"] = "distillation"
    name: str
    status: Status = "queued"
    eval_id: str
    test: Source
    train: Source
    teacher: str
    student: str
    trainer: Literal["default"] = "default"
    hyperparameters: dict[str, Any] = Field(default_factory=dict)
    gate: Gate = Gate()
    seed: int = 42
    metadata: dict[str, str] | None = None
    test_file_id: str | None = None
    test_rows: int | None = None
    runs: dict[str, str] = Field(default_factory=dict)
    plan: dict[str, Any] | None = None
    dataset_id: str | None = None
    job_id: str | None = None
    model: str | None = None
    verdict: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    history: list[Step] = Field(default_factory=list)
    approved_at: int | None = None
    cancel_requested_at: int | None = None
    outbox: list[dict[str, Any]] = Field(default_factory=list)

    def run_id(self, role: str) -> str:
        return derived_id("evalrun_", self.id, role)

    @property
    def verdict_id(self) -> str:
        return derived_id("verdict_", self.id)

    @property
    def training_source(self) -> Source:
        """The training filter, answered by the teacher alone."""
        if isinstance(self.train, StoredCompletions):
            return self.train.model_copy(update={"model": self.teacher})
        return self.train

    @property
    def rows_key(self) -> str:
        """The frozen test rows."""
        return f"distillations/{self.id}/rows.jsonl"

    def public(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"outbox"})


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


class Verdict(Record):
    """The decision with its evidence."""

    KIND: ClassVar[str] = "VERDICT"
    NAME: ClassVar[str] = "verdict"

    model_config = ConfigDict(extra="allow")

    object: Literal["verdict"] = "verdict"
    distillation_id: str
    eval_id: str
    outcome: Literal["beats_baseline", "no_better", "worse", "inconclusive"]
    sentence: str
    notified_at: int | None = None
