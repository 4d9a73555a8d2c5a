"""A distillation: one pass of the whole loop, and the state it is in.

`distilling` alone changes a distillation's status; every other service writes the object that is its own, and says
so with an `AdvanceDistillation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from completions.sources import StoredCompletions
from distillations.attempts import Attempt, Checkpoints, Order, most_models, orders_of
from distillations.contender import Contenders
from distillations.costs import DistillationCosts
from distillations.dataset import Source, TrainingSource
from distillations.failure import Failure
from distillations.gate import Gate
from distillations.plan import Plan
from distillations.recipe import Recipe
from distillations.roles import ROLES, Role
from distillations.verdict import Verdict
from foundation import table
from foundation.document import Document
from foundation.ids import derived_id
from foundation.later import Pause
from foundation.records import Record
from providers.terms import TeacherTerms

type Status = Literal[
    "queued",
    "measuring",
    "assembling",
    "blocked",
    "training",
    "choosing",
    "evaluating",
    "deciding",
    "completed",
    "failed",
    "cancelled",
]
OPEN_DISTILLATIONS = "OPENDISTILLATIONS"
"""The partition of the list of open distillations."""
TERMINAL = frozenset({"completed", "failed", "cancelled"})


class Step(Document):
    """One change of status."""

    status: Status
    at: int
    """Seconds since the epoch."""


class Distillation(Record):
    """One pass of the whole loop: as it was asked for, and what has become of it so far."""

    KIND: ClassVar[str] = "DISTILLATION"
    NAME: ClassVar[str] = "distillation"

    model_config = ConfigDict(use_attribute_docstrings=True)

    object: Literal["distillation"] = "distillation"
    name: str
    status: Status = "queued"
    eval_id: str
    test: Source
    """The rows that all models are measured on."""
    train: TrainingSource
    """The completions to train on; of these, those that the teacher answered and that are no test rows. Or a dataset,
    less the test rows."""
    teacher: str
    alias: str | None = None
    """The alias that it is for: where that says `promote_on`, a verdict that beats the baseline changes it. A teacher
    that was named by an alias is the model that answered most of its calls when this began."""
    teacher_terms: TeacherTerms | None = None
    """What was noted, when this began, of the terms of the teacher's provider; null where none serves the teacher."""
    student: str
    """The model to train; untrained it is the baseline. Of several the first, until the attempt of one is chosen."""
    students: list[str] = Field(default_factory=list)
    """The models to train side by side; empty where there is one."""
    contenders: Contenders = Field(default_factory=list)
    """Further models that are only prompted, measured on the same rows."""
    trainer: str = "default"
    """The name of the trainer, or of the provider that trains."""
    trainer_kind: str | None = None
    """What a trainer that is named by its provider is in the registry of trainers; null for one that stands there."""
    hyperparameters: dict[str, Any] | list[dict[str, Any]] = Field(default_factory=dict)
    """For the trainer, which says what it takes; several sets of it are tried side by side."""
    checkpoints: Checkpoints = "last"
    """Whether the model at the end of a training goes on, or the best of those that its trainer kept."""
    gate: Gate = Gate()
    recipe: Recipe | None = None
    """How the training set is made; null for the default recipe with `seed` and `train_on_history`."""
    seed: int = 42
    train_on_history: bool = False
    """Whether the assistant turns before the teacher's answers train, too. They may be those of other models."""
    metadata: dict[str, str] | None = None
    repeats: str | None = None
    """The distillation whose frozen rows it measures on, with its teacher's answers; null where it froze its own."""
    test_file_id: str | None = None
    """The frozen test rows as a file."""
    test_rows: int | None = None
    test_dropped: dict[str, int] | None = None
    """By reason, how many of what `test` selects are no rows: `duplicates` ask what a row asks already."""
    runs: dict[Role, str] = Field(default_factory=dict)
    """The id of each role's run, of those that have been started."""
    contender_runs: dict[str, str] = Field(default_factory=dict)
    """The id of each contender's run, by model."""
    baseline_runs: dict[str, str] = Field(default_factory=dict)
    """The id of each student's run before training, by student; empty where there is one student."""
    plan: Plan | None = None
    costs: DistillationCosts | None = None
    """What it has cost, once its model is trained, and again when it is completed."""
    dataset_id: str | None = None
    job_id: str | None = None
    """The job of the first attempt; once one is chosen, its."""
    attempts: list[Attempt] = Field(default_factory=list)
    """What is trained, from the assembly on, and how each model did on the validation rows."""
    validation_file_id: str | None = None
    """The validation rows as a file, where attempts were compared on them."""
    model: str | None = None
    """The distilled model, once it is trained, and chosen among the attempts."""
    verdict: Verdict | None = None
    error: Failure | None = None
    paused: Pause | None = None
    """Null unless it waits for a trainer that is away."""
    stalled_since: int | None = None
    """Since when its training makes no progress though it usually would; null while it does."""
    history: list[Step] = Field(default_factory=list)
    approved_at: int | None = None
    cancel_requested_at: int | None = None
    outbox: list[dict[str, Any]] = Field(default_factory=list)
    """The messages of the last step that may not be sent yet. Nobody but `distilling` sees them."""

    def create(self) -> bool:
        """Write it, its entry in the list of open ones first: none is open without it."""
        table.put({"pk": OPEN_DISTILLATIONS, "sk": self.id})
        return super().create()

    def close(self) -> None:
        """Take an ended one off the list of open ones."""
        table.delete(OPEN_DISTILLATIONS, self.id)

    @classmethod
    def open_ones(cls) -> Iterator[Distillation]:
        """Every distillation that has not ended."""
        entries = table.query(OPEN_DISTILLATIONS)
        records = (cls.find(entry["sk"]) for entry in entries)
        return (distillation for distillation in records if distillation and distillation.status not in TERMINAL)

    def came_to(self, status: Status) -> int:
        """When it last came to this status, in seconds since the epoch; when it was made if it never did."""
        return next((step.at for step in reversed(self.history) if step.status == status), self.created_at)

    def run_id(self, role: Role) -> str:
        return derived_id("evalrun_", self.id, role)

    def contender_run_id(self, model: str) -> str:
        return derived_id("evalrun_", self.id, "contender", model)

    def baseline_run_id(self, student: str) -> str:
        first = student == (self.students or [self.student])[0]
        return self.run_id("baseline") if first else derived_id("evalrun_", self.id, "baseline", student)

    def attempt_run_id(self, number: int) -> str:
        """The run over the validation rows of the attempt that stands at this place in the list."""
        return derived_id("evalrun_", self.id, "attempt", str(number))

    @property
    def run_ids(self) -> list[str]:
        """The ids of all its runs, also of those that no step has recorded yet."""
        own = [*map(self.run_id, ROLES), *map(self.contender_run_id, self.contenders)]
        return [*own, *map(self.baseline_run_id, self.students[1:]), *map(self.attempt_run_id, range(self.most_models))]

    @property
    def orders(self) -> list[Order]:
        """The trainings that are asked for."""
        return orders_of(self.students or [self.student], self.hyperparameters)

    @property
    def most_models(self) -> int:
        """How many models there may be to choose from; 0 where there is nothing to choose."""
        return most_models(len(self.orders), self.checkpoints)

    @property
    def job_ids(self) -> list[str]:
        """The jobs of its attempts, each once."""
        return list(dict.fromkeys(attempt.job_id for attempt in self.attempts))

    @property
    def verdict_id(self) -> str:
        return derived_id("verdict_", self.id)

    @property
    def training_source(self) -> TrainingSource:
        """The training filter, answered by the teacher alone."""
        if isinstance(self.train, StoredCompletions):
            return self.train.model_copy(update={"model": self.teacher})
        return self.train

    @property
    def used_recipe(self) -> Recipe:
        """The recipe of its training set. What belongs together for the gate does so for the training set."""
        recipe = self.recipe or Recipe(seed=self.seed, train_on_history=self.train_on_history)
        return recipe.model_copy(update={"group_by": recipe.group_by or self.gate.group_by})

    @property
    def rows_key(self) -> str:
        """The frozen test rows."""
        return f"distillations/{self.id}/rows.jsonl"

    def public(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"outbox"})
