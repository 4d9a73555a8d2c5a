"""Ask a pairwise judge twice, the second time with the two answers exchanged, since judges favour a position.

In: the paths of the two answers in the row. Out: the row with their values exchanged, and the label of the exchanged
row as a label of the row itself. A path that the row does not have raises `InvalidVariable`.
Source: Zheng et al. (2023), "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", section 3.4.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from graders.grade import InvalidVariable
from graders.template import look_up, places, steps_of


class Swap(BaseModel):
    """Two paths of the row, such as `item.answer_a`, without braces."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    first: str
    second: str

    @field_validator("first", "second")
    @classmethod
    def _is_a_path(cls, path: str) -> str:
        try:
            namespace, *within = steps_of(path)
        except InvalidVariable as error:
            raise ValueError(str(error)) from error
        if namespace not in {"item", "sample"} or not within:
            raise ValueError(f"'{path}' is no path into the row, such as item.answer_a")
        return path

    @model_validator(mode="after")
    def _are_two(self) -> Self:
        if _touch(steps_of(self.first), steps_of(self.second)):
            raise ValueError("first and second are one value, or one is a part of the other")
        return self

    def check(self, messages: list[dict[str, Any]]) -> None:
        """Raises ValueError unless the messages show both values: else the judge would be asked the same twice."""
        try:
            shown_paths = [steps_of(path) for path in places(messages)]
        except InvalidVariable as error:
            raise ValueError(str(error)) from error
        for path in (self.first, self.second):
            if not any(_touch(steps_of(path), shown) for shown in shown_paths):
                raise ValueError(f"swap: '{{{{ {path} }}}}' stands in no message of input")

    def exchanged(self, row: dict[str, Any]) -> dict[str, Any]:
        """A copy of `{item, sample}` with the two values exchanged."""
        first, second = look_up(self.first, row), look_up(self.second, row)
        exchanged: dict[str, Any] = _with(_with(row, steps_of(self.first), second), steps_of(self.second), first)
        return exchanged


class LabelSwap(Swap):
    """`labels` pairs the labels that name a position, as in `{"A": "B"}`; other labels mean the same in both orders."""

    labels: dict[str, str] = Field(min_length=1)

    def turned(self, label: str) -> str:
        """The label for the row itself that a label for the exchanged row stands for."""
        back = {other: label for label, other in self.labels.items()}
        return {**back, **self.labels}.get(label, label)

    def check_labels(self, known: list[str]) -> None:
        """Raises ValueError if a label is unknown, or is paired with two others."""
        named = [*self.labels, *self.labels.values()]
        unknown = sorted(set(named) - set(known))
        if unknown:
            raise ValueError(f"swap.labels {unknown} are not among labels")
        pairs = {frozenset(pair) for pair in self.labels.items()}
        if len({label for pair in pairs for label in pair}) != sum(len(pair) for pair in pairs):
            raise ValueError("swap.labels gives a label two others: name each pair, as in {'A': 'B'}")


def _touch(first: list[str | int], second: list[str | int]) -> bool:
    """Whether a change at one path changes the value at the other: one of them begins with the other."""
    return all(a == b for a, b in zip(first, second, strict=False))


def _with(container: Any, steps: list[str | int], value: Any) -> Any:
    """A copy of the container with this value at the end of the path `steps`."""
    if not steps:
        return value
    step, *others = steps
    copy: Any = container.copy()
    copy[step] = _with(container[step], others, value)
    return copy
