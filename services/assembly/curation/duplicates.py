"""`duplicates`: drops completions with the same question and the same answer but for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assembly.curation.rule import Finding, Together, Verdict
from assembly.row import Row, preferred
from distillations.recipe import Duplicates


def decide(rows: Sequence[Row], settings: Duplicates, together: Together) -> Iterator[Verdict]:  # noqa: ARG001
    kept: dict[tuple[str, str], str] = {}
    for row in preferred(rows, settings.keep):
        first = kept.setdefault((row.input_key, row.answer_key), row.id)
        if first != row.id:
            yield Verdict(row, Finding("The same question trains with the same answer.", [first], 1.0))
