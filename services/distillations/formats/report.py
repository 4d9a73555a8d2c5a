"""The report on a training file: what is wrong with which line, and what to do about it.

In: findings one by one. Out: a document with the first hundred of them and counts of all. An `error` keeps the file
from training, something `repaired` was changed and is said, a `warning` is for a person to look at.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from distillations.formats.codes import REMEDIES
from foundation.document import Document

MOST_FINDINGS = 100

type Level = Literal["error", "repaired", "warning"]
type OddRows = Literal["mend", "keep"]
"""What becomes of rows that trainers take and that teach wrong things."""


class Finding(Document):
    """Something about a line."""

    line: int | None
    """The number of the line, from 1; null for the file as a whole."""
    field: str | None
    """The place in the row, as `messages[1].content`; null for the row as a whole."""
    level: Level
    code: str
    message: str
    """Why, without a word of the row's text."""
    remedy: str

    def __str__(self) -> str:
        place = "The file" if self.line is None else f"Line {self.line}"
        field = f", {self.field}" if self.field else ""
        return f"{place}{field}: {self.message}. {self.remedy}"


class FileReport(Document):
    """What was found in a file."""

    format: str
    """The format that it was read as."""
    rows: int
    """The lines that hold something."""
    errors: int
    repaired: int
    warnings: int
    findings: list[Finding] = Field(default_factory=list)
    """The first hundred, in the order of the lines."""
    more: int = 0
    """How many there are beside them."""


class Findings:
    """What was found so far."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._counts: dict[Level, int] = {"error": 0, "repaired": 0, "warning": 0}

    def add(self, line: int | None, code: str, message: str, level: Level = "error", field: str = "") -> None:
        """Note something; beyond the first hundred of a level it is counted alone."""
        self._counts[level] += 1
        if self._counts[level] <= MOST_FINDINGS:
            finding = Finding(
                line=line, field=field or None, level=level, code=code, message=message, remedy=REMEDIES[code]
            )
            self._kept.append(finding)

    @property
    def errors(self) -> int:
        """How many keep the file from training so far."""
        return self._counts["error"]

    def report(self, name: str, rows: int) -> FileReport:
        """All of it; errors go before what else there is where it is too much."""
        by_level = sorted(self._kept, key=lambda finding: finding.level != "error")[:MOST_FINDINGS]
        shown = sorted(by_level, key=lambda finding: (finding.line is not None, finding.line or 0))
        return FileReport(
            format=name,
            rows=rows,
            errors=self.errors,
            repaired=self._counts["repaired"],
            warnings=self._counts["warning"],
            findings=shown,
            more=sum(self._counts.values()) - len(shown),
        )
