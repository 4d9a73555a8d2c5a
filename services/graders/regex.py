"""`regex`: whether a pattern is found in a rendered text. Passes with score 1, fails with score 0.

The syntax is RE2's, without look-around and back-references, so that no text can make a pattern run away.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from graders.grade import Grade, GraderModel, Models
from graders.patterns import compiled, found
from graders.template import render


class Regex(GraderModel):
    """`search` and `full` want the pattern somewhere or as the whole text, `none` wants it nowhere."""

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
        stands = found(self.pattern, text, where=where, ignore_case=self.ignore_case)
        passed = stands != (self.match == "none")
        return Grade(passed=passed, score=float(passed))
