"""`json_match`: how much of a reference's JSON a rendered text has, field by field, exactly.

A field is a leaf: a value that holds no other, named by its JSON pointer (RFC 6901). The score is the share of the
fields of both sides that are equal; arrays are compared by position, numbers by value. A text that is no JSON
scores 0; a reference that is none raises `NotGradable`.
"""

from __future__ import annotations

from typing import Any, Literal

import orjson
from pydantic import Field

from graders.grade import Grade, GraderModel, Models, NotGradable, Scale
from graders.template import render

type _Path = tuple[str | int, ...]


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
            found = _leaves(orjson.loads(text))
        except orjson.JSONDecodeError as error:
            return Grade(passed=self.pass_threshold == 0, score=0.0, sample={"errors": [f"not JSON: {error}"]})
        compared = wanted if self.extra_fields == "ignore" else wanted | found
        fields = {
            path: float(path in wanted and path in found and _equal(wanted[path], found[path])) for path in compared
        }
        score = sum(fields.values()) / len(fields)
        shown = {_pointer(path): field for path, field in fields.items()}
        return Grade(passed=score >= self.pass_threshold, score=score, sample={"fields": shown})


def _leaves(document: Any) -> dict[_Path, Any]:
    """Every value that holds no other by its path. An empty object or array is one."""
    leaves: dict[_Path, Any] = {}
    inside: list[tuple[_Path, Any]] = [((), document)]
    while inside:
        path, value = inside.pop()
        if isinstance(value, dict) and value:
            inside += [((*path, name), one) for name, one in reversed(value.items())]
        elif isinstance(value, list) and value:
            inside += [((*path, position), one) for position, one in reversed(list(enumerate(value)))]
        else:
            leaves[path] = value
    return leaves


def _equal(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 is 1.0, and true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _pointer(path: _Path) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
