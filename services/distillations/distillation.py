"""A distillation: one pass of the whole loop, and the state it is in.

`distilling` alone changes a distillation's status; every other service writes the object that is its own, and says
so with an `AdvanceDistillation`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from completions.sources import StoredCompletions
from evals.data_sources import FileId
from foundation.ids import derived_id
from foundation.records import Record

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
