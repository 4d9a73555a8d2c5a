"""`near_duplicates`: drops completions with nearly the same question and the same answer but for one.

Nearly the same questions with different answers are two cases, and teach where the border lies: both stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assembly.curation.rule import Finding, Together, Verdict
from assembly.row import Row, preferred
from distillations.recipe import NearDuplicates


def decide(rows: Sequence[Row], settings: NearDuplicates, together: Together) -> Iterator[Verdict]:
    questions = together.questions
    kept = questions.neighbours(settings.similarity)
    for row in preferred(rows, settings.keep):
        question = questions.of(row)
        near = kept.nearest(question, lambda other, row=row: other.answer_key == row.answer_key)  # type: ignore[misc]
        if near:
            reason = "Nearly the same question trains with the same answer."
            yield Verdict(row, Finding(reason, [near.row.id], near.score))
        else:
            kept.add(question)
