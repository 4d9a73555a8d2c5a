"""`regex`: whether a pattern matches a rendered text. Passes with score 1, fails with score 0.

The syntax is RE2's, without look-around and back-references, so that matching takes a bounded time for any text.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from graders.grade import Grade, GraderModel, Models
from graders.patterns import compiled, is_in
from graders.template import render


class Regex(GraderModel):
    """`search` passes if the pattern matches somewhere, `full` if it matches the whole text, `none` if nowhere."""

    type: Literal["regex"]
    input: str
    pattern: str = Field(min_length=1, max_length=10_000)
    match: Literal["search", "full", "none"] = "search"
    ignore_case: bool = False

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        compiled(pattern)
        return pattern

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:  # noqa: ARG002
        text = render(self.input, {"item": item, "sample": sample})
        where: Literal["anywhere", "whole"] = "whole" if self.match == "full" else "anywhere"
        matches = is_in(self.pattern, text, where=where, ignore_case=self.ignore_case)
        passed = matches != (self.match == "none")
        return Grade(passed=passed, score=float(passed))
