"""Grades that a test gives, in place of those of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assembly.grading import Answered, Brief, Grades, Written
from assembly.row import Row
from distillations.grades import DatasetRun, RowGrade
from distillations.grading_steps import Augment, Consensus, Quality


class Given:
    """Grades by row id: each says whether the row `passed`, and its `score` or its `error`."""

    def __init__(
        self,
        grades: Mapping[str, Mapping[str, Any]],
        repetitions: Sequence[Mapping[str, Mapping[str, Any]]] = (),
        *,
        left_out: int = 0,
    ) -> None:
        self._grades = _grades(grades)
        self._turns = [_grades(turn) for turn in repetitions]
        self._inputs: list[dict[str, Any]] = []
        self._run = DatasetRun(
            name="1-quality", eval_id="eval_1", run_id="evalrun_1", rows=len(grades), left_out=left_out
        )

    def runs(self) -> list[DatasetRun]:
        return [self._run] if self._grades else []

    def grades(self, number: int, settings: Quality, rows: Sequence[Row]) -> Grades | None:  # noqa: ARG002
        return Grades(self._grades, self._run)

    def repetitions(self, number: int, settings: Consensus, rows: Sequence[Row]) -> list[Grades] | None:  # noqa: ARG002
        return [Grades(turn, self._run) for turn in self._turns]

    def of_written(self, inputs: list[dict[str, Any]]) -> Given:
        """Inputs that are written, in order: each with its `text`, and the completion that answers it."""
        self._inputs = inputs
        return self

    def inputs(self, number: int, settings: Augment, briefs: Sequence[Brief]) -> list[Written] | None:  # noqa: ARG002
        passed = RowGrade(step="1-augment-inputs", run_id="evalrun_1", item_id="item", passed=True)
        return [Written(brief, one["text"], passed) for brief, one in zip(briefs, self._inputs, strict=False)]

    def answers(self, number: int, settings: Augment, written: Sequence[Written]) -> list[Answered]:  # noqa: ARG002
        completions = {one["text"]: one["completion"] for one in self._inputs}
        return [Answered(one, completions[one.text], one.grade) for one in written]


def _grades(grades: Mapping[str, Mapping[str, Any]]) -> dict[str, RowGrade]:
    about = {"step": "1-quality", "run_id": "evalrun_1"}
    return {row: RowGrade(**about, item_id=f"item-{row}", **grade) for row, grade in grades.items()}
