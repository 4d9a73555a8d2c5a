"""`string_check`: compares two rendered texts. Passes with score 1, fails with score 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from graders.grade import Grade, GraderModel, Models
from graders.template import render

_OPERATIONS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda text, reference: text == reference,
    "ne": lambda text, reference: text != reference,
    "like": lambda text, reference: reference in text,
    "ilike": lambda text, reference: reference.casefold() in text.casefold(),
}


class StringCheck(GraderModel):
    """`like` and `ilike` (which ignores case) pass if the input contains the reference."""

    type: Literal["string_check"]
    input: str
    reference: str
    operation: Literal["eq", "ne", "like", "ilike"]

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:  # noqa: ARG002
        namespaces = {"item": item, "sample": sample}
        text, reference = render(self.input, namespaces), render(self.reference, namespaces)
        passed = _OPERATIONS[self.operation](text, reference)
        return Grade(passed=passed, score=float(passed))
