"""The seam of formats: an example in OpenAI's shape in, the line of a trainer's format out, or why there is none.

Each format is a module with a `FORMAT`. Examples lie in OpenAI's shape everywhere in the stack, supervised ones or
pairs; a format says what its own row is, and how one is written. What has no counterpart raises `Unwritable`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, ValidationError

from distillations.formats.codes import code_of
from foundation.bounds import cut
from foundation.field_errors import place_in

_LONGEST = 512
_OWN_WORDS = {
    "model_type": "an object is expected",
    "union_tag_invalid": "it is none that is known",
    "union_tag_not_found": "a role or a type is missing",
}

type Row = dict[str, Any]


class Fault(NamedTuple):
    """What is wrong with a row: the place, empty for the row itself; a code of `codes.REMEDIES`; and why, in words."""

    field: str
    code: str
    why: str

    def __str__(self) -> str:
        return f"{self.field}: {self.why}" if self.field else self.why


class Unwritable(ValueError):
    """An example has no counterpart in a format."""

    def __init__(self, why: str, field: str = "messages", code: str = "no_counterpart") -> None:
        super().__init__(why)
        self.fault = Fault(field, code, why)


@dataclass(frozen=True)
class Format:
    """A format of training files."""

    example: type[BaseModel]
    """An example in OpenAI's shape, which `written` reads."""
    row: type[BaseModel]
    """A row of the format itself."""
    written: Callable[[Row], Row]
    """The row of the format for an example; raises Unwritable where there is none."""

    def fault(self, example: Row) -> Fault | None:
        """Why an example has no row in this format; None if it has one."""
        fault = fault_of(example, self.example)
        if fault:
            return fault
        try:
            row = self.written(example)
        except Unwritable as unwritable:
            return unwritable.fault
        return None if row is example and self.row is self.example else fault_of(row, self.row)

    def row_fault(self, row: Row) -> Fault | None:
        """What is wrong with a row of the format itself; None if it is one."""
        return fault_of(row, self.row)

    def line(self, example: Row) -> bytes:
        """The line of an example that has no fault, without its end."""
        return orjson.dumps(self.written(example))


def fault_of(row: Row, model: type[BaseModel]) -> Fault | None:
    """The first thing that is wrong with a row, without its text; None if it is what the model says."""
    try:
        model.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        why = _OWN_WORDS.get(first["type"], first["msg"].removeprefix("Value error, "))
        return Fault(cut(place_in(row, first), _LONGEST), code_of(first), cut(why, _LONGEST))
    return None


def itself(example: Row) -> Row:
    """How a row is written where the format is OpenAI's own."""
    return example
