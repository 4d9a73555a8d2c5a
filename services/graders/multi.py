"""`multi`: one score from those of several graders, by a formula.

OpenAI has it only in reinforcement fine-tuning; here it is a criterion of evals too. Raises `NotGradable` if a part
cannot be graded or the formula has no finite value, as in a division by 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field, FiniteFloat, field_validator, model_validator

from graders.formula import LONGEST, Formula
from graders.grade import Grade, GraderModel, Models, NotGradable, Scale

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Multi[Part: GraderModel](GraderModel):
    """`graders` has definitions by the names that `calculate_output` uses, or is a list of definitions with `name`."""

    type: Literal["multi"]
    graders: dict[str, Part] = Field(min_length=1)
    calculate_output: str = Field(min_length=1, max_length=LONGEST)
    pass_threshold: FiniteFloat

    @field_validator("graders", mode="before")
    @classmethod
    def _by_name(cls, graders: Any) -> Any:
        if isinstance(graders, dict) and isinstance(graders.get("type"), str):
            graders = [graders]
        named = _by_their_names(graders) if isinstance(graders, list) else graders
        if not isinstance(named, dict):
            return graders
        for name, grader in named.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise ValueError(f"the name '{name}' cannot stand in a formula: use letters, digits and _")
            if isinstance(grader, dict) and grader.get("type") == "multi":
                raise ValueError(f"'{name}' is a multi grader, and these do not nest")
        return {
            name: {"name": name, **grader} if isinstance(grader, dict) else grader for name, grader in named.items()
        }

    @field_validator("calculate_output")
    @classmethod
    def _can_be_read(cls, formula: str) -> str:
        Formula(formula)
        return formula

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        unknown = sorted(self._formula.names - set(self.graders))
        if unknown:
            raise ValueError(f"calculate_output uses {unknown}, which are not among graders {sorted(self.graders)}")
        return self

    def models(self) -> Iterator[tuple[str, str]]:
        for name, grader in self.graders.items():
            yield from ((f"graders.{name}.{field}", model) for field, model in grader.models())

    def rename_models(self, name_of: Callable[[str], str]) -> None:
        for grader in self.graders.values():
            grader.rename_models(name_of)

    def parts(self) -> Mapping[str, GraderModel]:
        return self.graders

    def scale(self) -> Scale:
        return Scale(pass_threshold=self.pass_threshold)

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:
        grades: dict[str, Grade] = {}
        for name, grader in self.graders.items():
            try:
                grades[name] = await grader.grade(item, sample, models)
            except NotGradable as error:
                raise type(error)(f"grader '{name}': {error}") from error
        try:
            score = self._formula.value({name: grade.score for name, grade in grades.items()})
        except (ArithmeticError, ValueError) as error:
            scores = ", ".join(f"{name} = {grade.score:g}" for name, grade in grades.items())
            raise NotGradable(f"calculate_output has no value for {scores}: {error}") from error
        shown = {name: grade.model_dump() for name, grade in grades.items()}
        return Grade(passed=score >= self.pass_threshold, score=score, sample={"graders": shown})

    @cached_property
    def _formula(self) -> Formula:
        return Formula(self.calculate_output)


def _by_their_names(graders: list[Any]) -> dict[Any, Any]:
    named = {grader.get("name"): grader for grader in graders if isinstance(grader, dict)}
    if len(named) < len(graders):
        raise ValueError("each of graders is an object with a name of its own")
    return named
