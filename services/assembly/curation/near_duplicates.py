"""`near_duplicates`: drops completions with nearly the same question and the same answer but for one.

Nearly the same questions with different answers are two cases, and teach where the border lies: both stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from assembly.curation.rule import Finding, Together, Verdict
from assembly.neighbours import Neighbours, Question
from assembly.row import Row, preferred
from distillations.recipe import NearDuplicates


def decide(rows: Sequence[Row], settings: NearDuplicates, together: Together) -> Iterator[Verdict]:
    questions = together.questions
    answers = Counter(row.answer_key for row in rows)
    # Only what could be one is compared: the work would else grow with the square of the rows.
    comparable = [row for row in preferred(rows, settings.keep) if answers[row.answer_key] > 1]
    for same in questions.groups(comparable, settings.similarity):
        yield from _repeated(same, questions.neighbours(settings.similarity))


def _repeated(questions: list[Question], kept: Neighbours) -> Iterator[Verdict]:
    """Those of the questions, the preferred first, that are nearly one before them."""
    for question in questions:
        near = kept.nearest(question)
        if near:
            reason = "Nearly the same question trains with the same answer."
            yield Verdict(question.row, Finding(reason, [near.row.id], near.score))
        else:
            kept.add(question)
