"""What a stack owes its callers, kept in memory beside it: every acknowledged record, run and distillation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

type Fate = Literal["kept", "deleted", "either"]


@dataclass
class Completion:
    """A completion that was acknowledged. `marker` stands in its message and in no other's.

    `fate` is `either` where a retention policy may or may not have met it, or a capture was given up by the gateway.
    `record` is None where only the answer is known. An `odd` one is hostile.
    """

    marker: str
    id: str
    model: str
    prompt_tokens: int
    tags: dict[str, str]
    batch: str | None = None
    record: dict[str, Any] | None = None
    created: int = 0
    fate: Fate = "kept"
    odd: str = ""
    needed: bool = False
    doubted: bool = False
    """Whether the gateway reported that its capture failed: it may be there or not."""


@dataclass
class Run:
    """A run that was acknowledged; `passed` of `rows` where that is certain."""

    id: str
    eval_id: str
    rows: int | None = None
    passed: int | None = None
    canceled: bool = False
    deleted: bool = False
    odd: bool = False
    file_id: str = ""


@dataclass
class Distillation:
    """A distillation that was acknowledged; `disturbed` where somebody canceled it or deleted what it is made of."""

    id: str
    tag: str
    eval_id: str
    disturbed: bool = False


@dataclass
class Group:
    """Completions of a distillation that is to come, once all are recorded."""

    tag: str
    batches: list[str]


@dataclass
class Model:
    """All that is owed."""

    completions: dict[str, Completion] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    distillations: dict[str, Distillation] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    evals: dict[str, bool] = field(default_factory=dict)
    """By id, whether it is there still."""
    files: dict[str, bool] = field(default_factory=dict)
    policies: set[str] = field(default_factory=set)
    poison: set[str] = field(default_factory=set)
    """The messages that no consumer can take."""

    def of_fate(self, *fates: Fate) -> Iterator[Completion]:
        return (completion for completion in self.completions.values() if completion.fate in fates)

    def runs_of(self, eval_id: str) -> Iterator[Run]:
        return (run for run in self.runs.values() if run.eval_id == eval_id)
