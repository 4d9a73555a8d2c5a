"""`json_match`: the share of a reference's JSON fields that a rendered text has with exactly the same values.

A field is a leaf: a value that holds no other, named by its JSON pointer (RFC 6901). The score is the share of the
fields of both sides that are equal; arrays are compared by position, numbers by value. A text that is no JSON
scores 0; a reference that is none raises `NotGradable`. The result shows the first fields, those that differ before
the others.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Literal

import orjson
from pydantic import Field

from graders.grade import Grade, GraderModel, Models, NotGradable, Scale, TooLarge
from graders.template import render

type _Path = tuple[str | int, ...]

_MOST_STEPS = 1_000_000
"""The most steps that all paths of a document may have together, such as 100,000 fields at a depth of ten."""
_SHOWN_FIELDS = 50
_SHOWN_LETTERS = 300


class JsonMatch(GraderModel):
    """`extra_fields` says whether fields that the reference lacks count against the text."""

    type: Literal["json_match"]
    input: str = "{{ sample.output_text }}"
    reference: str
    extra_fields: Literal["count", "ignore"] = "count"
    pass_threshold: float = Field(default=1.0, ge=0, le=1)

    def scale(self) -> Scale:
        return Scale(pass_threshold=self.pass_threshold)

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:  # noqa: ARG002
        namespaces = {"item": item, "sample": sample}
        text, reference = render(self.input, namespaces), render(self.reference, namespaces)
        try:
            wanted = _leaves(orjson.loads(reference))
        except orjson.JSONDecodeError as error:
            raise NotGradable(f"the reference is not JSON: {error}") from error
        try:
            answered = _leaves(orjson.loads(text))
        except orjson.JSONDecodeError as error:
            return Grade(passed=self.pass_threshold == 0, score=0.0, sample={"errors": [f"not JSON: {error}"]})
        compared = wanted if self.extra_fields == "ignore" else wanted | answered
        fields = {
            path: float(path in wanted and path in answered and _equal(wanted[path], answered[path]))
            for path in compared
        }
        score = sum(fields.values()) / len(fields)
        return Grade(passed=score >= self.pass_threshold, score=score, sample=_shown(fields))


def _leaves(document: Any) -> dict[_Path, Any]:
    """Every leaf of a document by its path; an empty object or array is a leaf too. Raises TooLarge."""
    leaves: dict[_Path, Any] = {}
    steps = 0
    inside: list[tuple[_Path, Any]] = [((), document)]
    while inside:
        path, value = inside.pop()
        if isinstance(value, dict | list):
            steps += (len(path) + 1) * len(value)
        if steps > _MOST_STEPS:
            raise TooLarge(f"the paths of a document's fields have more than {_MOST_STEPS} steps in all")
        if isinstance(value, dict) and value:
            inside += [((*path, name), member) for name, member in reversed(value.items())]
        elif isinstance(value, list) and value:
            inside += [((*path, position), member) for position, member in reversed(list(enumerate(value)))]
        else:
            leaves[path] = value
    return leaves


def _equal(first: Any, second: Any) -> bool:
    """Whether two leaves are equal as JSON: 1 is 1.0, and true is not 1."""
    return isinstance(first, bool) == isinstance(second, bool) and bool(first == second)


def _shown(fields: dict[_Path, float]) -> dict[str, Any]:
    """The fields by their pointers. Of many fields the first are shown, and how many are left out."""
    if len(fields) <= _SHOWN_FIELDS:
        return {"fields": {_pointer(path): field for path, field in fields.items()}}
    first = islice(sorted(fields.items(), key=lambda field: field[1]), _SHOWN_FIELDS)
    shown = {_pointer(path): field for path, field in first}
    return {"fields": shown, "fields_left_out": len(fields) - _SHOWN_FIELDS}


def _pointer(path: _Path) -> str:
    """The JSON pointer of a path; of a long one its end."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    pointer = "".join(f"/{step}" for step in steps)
    return pointer if len(pointer) <= _SHOWN_LETTERS else f"…{pointer[-_SHOWN_LETTERS:]}"
