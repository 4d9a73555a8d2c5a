"""What the steps of a recipe would have graded, and what that would cost: a dry run pays nothing."""

from __future__ import annotations

from collections.abc import Sequence

from assembly.budget import afforded
from assembly.criteria import criterion_of, eval_of
from assembly.estimate import grading_nanodollars, sample_of
from assembly.grading import Grades
from assembly.making import Making
from assembly.row import Row
from distillations.grades import DatasetRun
from distillations.grading_steps import Quality


class Unpaid:
    """Estimates in place of runs. Steps see no grades, so that each row is kept that a grade might keep."""

    def __init__(self, making: Making) -> None:
        self._recipe = making.recipe
        self._completions = making.completions
        self._runs: list[DatasetRun] = []

    def runs(self) -> list[DatasetRun]:
        """What runs the steps would need."""
        return self._runs

    def grades(self, number: int, settings: Quality, rows: Sequence[Row]) -> Grades | None:
        """Note what the step would have graded. Raises ApiError where its run could not be begun."""
        eval_ = eval_of(settings)
        criterion_of(eval_, settings.criterion)
        ids = [row.id for row in rows]
        each = grading_nanodollars(eval_.testing_criteria, sample_of(ids, self._completions))
        graded = afforded(ids, each, settings, self._recipe, self._runs)
        self._runs.append(
            DatasetRun(
                name=f"{number}-{settings.rule}",
                eval_id=settings.eval_id,
                rows=len(graded.ids),
                left_out=graded.left_out,
                estimated_usd=graded.estimated_usd,
            )
        )
        return None
