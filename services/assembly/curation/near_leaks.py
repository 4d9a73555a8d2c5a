"""`near_leaks`: drops a completion whose question is nearly that of a test row, whatever prompt stands before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assembly.curation.rule import Finding, Together, Verdict
from assembly.row import Row
from distillations.recipe import NearLeaks


def decide(rows: Sequence[Row], settings: NearLeaks, together: Together) -> Iterator[Verdict]:
    questions = together.questions
    test = questions.neighbours_in_test(settings.similarity)
    for row in rows if test else ():
        question = questions.of(row)
        near = test[question.other].nearest(question) if question.other in test else None
        if near:
            yield Verdict(row, Finding("It asks nearly what a test row asks.", [near.row.id], near.score))
