"""What the steps of a recipe would have graded, and what that would cost: a dry run pays nothing."""

from __future__ import annotations

from collections.abc import Sequence

from assembly.grading import Grades
from assembly.making import Making
from assembly.row import Row
from assembly.wanted import Wanted, to_grade, to_repeat
from distillations.grades import DatasetRun
from distillations.grading_steps import Consensus, Quality


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

    def _note(self, wanted: Wanted) -> None:
        self._runs += [wanted.run(name) for name in wanted.names]
