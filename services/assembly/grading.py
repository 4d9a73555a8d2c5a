"""The seam between rules and the runs that grade for them: rows in, what a run found in each of them out.

`StoredRuns` (`runs.py`) has an eval run grade them, and ends the pass by `Waiting` until it has ended. `Unpaid`
(`estimate.py`) only says what that would cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from assembly.row import Row
from completions.completion import Completion
from distillations.grades import DatasetRun, RowGrade
from distillations.grading_steps import Augment, Consensus, Quality

type Completions = Callable[[], Iterable[Completion]]
"""Reads the completions of a dataset, each time anew."""


class Waiting(Exception):
    """The grades are not there yet: a run was begun that gives them, and whose end has the set made again."""


class Ended(Exception):
    """The dataset has ended, or was deleted, since this pass began: nothing more is begun or written for it."""


class Grades(NamedTuple):
    """What is known of the rows of a step: the grade of each that has one, by id, and why others have none."""

    by_row: Mapping[str, RowGrade]
    run: DatasetRun


class Brief(NamedTuple):
    """What an input is written by: a slice, and rows of it, the first of which lends its request."""

    id: str
    slice: str
    number: int
    """From 1 within the slice: no two briefs are the same, whatever they show."""
    examples: Sequence[str]


class Written(NamedTuple):
    """An input that was written, and its grade."""

    brief: Brief
    text: str
    grade: RowGrade


class Answered(NamedTuple):
    """A written input with the teacher's answer as a completion, and its grade."""

    written: Written
    completion: Completion
    grade: RowGrade


class Grading(Protocol):
    """Who grades the rows of a step."""

    def grades(self, number: int, settings: Quality, rows: Sequence[Row]) -> Grades | None:
        """The grades of the rows of step `number`; None in a dry run. Raises Waiting, and ApiError where none come."""
        ...

    def repetitions(self, number: int, settings: Consensus, rows: Sequence[Row]) -> list[Grades] | None:
        """Whether a new answer to each row is the stored one, one of each time that was asked; None in a dry run."""
        ...

    def inputs(self, number: int, settings: Augment, briefs: Sequence[Brief]) -> list[Written] | None:
        """The inputs that were written by these briefs; None in a dry run."""
        ...

    def answers(self, number: int, settings: Augment, written: Sequence[Written]) -> list[Answered]:
        """The answers to written inputs."""
        ...

    def runs(self) -> list[DatasetRun]:
        """The runs that the steps needed, in order."""
        ...
