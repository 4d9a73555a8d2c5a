"""What the steps of a recipe would have graded, and what that would cost: a dry run pays nothing."""

from __future__ import annotations

from collections.abc import Sequence

from assembly.augmenting import inputs_name, to_answer, to_write
from assembly.grading import Answered, Brief, Grades, Written
from assembly.making import Making
from assembly.row import Row
from assembly.wanted import Wanted, to_grade, to_repeat
from distillations.grades import DatasetRun, RowGrade
from distillations.grading_steps import Augment, Consensus, Quality


class Unpaid:
    """Estimates in place of runs. Steps see no grades, so that each row is kept that a grade might keep."""

    def __init__(self, making: Making, teacher: str | None) -> None:
        self._making = making
        self._teacher = teacher
        self._runs: list[DatasetRun] = []

    def runs(self) -> list[DatasetRun]:
        """What runs the steps would need."""
        return self._runs

    def grades(self, number: int, settings: Quality, rows: Sequence[Row]) -> Grades | None:
        """Note what the step would have graded. Raises ApiError where its run could not be begun."""
        self._note(to_grade(number, settings, rows, self._making, self._runs))
        return None

    def repetitions(self, number: int, settings: Consensus, rows: Sequence[Row]) -> list[Grades] | None:
        """Note what the step would ask again. Raises ApiError where its runs could not be begun."""
        self._note(to_repeat(number, settings, rows, self._making, self._runs, teacher=self._teacher))
        return None

    def inputs(self, number: int, settings: Augment, briefs: Sequence[Brief]) -> list[Written] | None:
        """Note what the step would have written, and as if all were answered. Raises ApiError where it could not."""
        self._note(to_write(number, settings, briefs, self._making, self._runs, teacher=self._teacher))
        unknown = RowGrade(step=inputs_name(number, settings), run_id="", item_id="", passed=True)
        written = [Written(brief, "", unknown) for brief in briefs][: self._runs[-1].rows]
        self._note(to_answer(number, settings, written, self._making, self._runs, teacher=self._teacher))
        return None

    def answers(self, number: int, settings: Augment, written: Sequence[Written]) -> list[Answered]:  # noqa: ARG002
        """Nothing is written in a dry run, so nothing is answered."""
        return []

    def _note(self, wanted: Wanted) -> None:
        self._runs += [wanted.run(name) for name in wanted.names]
