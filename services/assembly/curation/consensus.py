"""`consensus`: drops an answer that the teacher, asked again, does not give again often enough.

A teacher that disagrees with itself is not ready to teach: the share is shown in the card. Rows that were not asked
again stay, as do those that a person corrected or keeps. In a dry run nobody is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from assembly.curation.rule import Finding, Together, Verdict
from assembly.row import Row
from distillations.grades import Agreement, RowGrade
from distillations.grading_steps import Consensus


def decide(rows: Sequence[Row], settings: Consensus, together: Together) -> Iterator[Verdict]:
    asked = [row for row in rows if not row.by_hand]
    turns = together.grading.repetitions(together.number, settings, asked) if together.grading else None
    if turns is None:
        return
    shares: list[float] = []
    unanswered = 0
    for row in asked:
        given = [turn.by_row[row.id] for turn in turns if row.id in turn.by_row]
        for grade in given:
            together.note_grade(row.id, grade)
        answered = [grade for grade in given if not grade.error]
        unanswered += bool(given) and not answered
        if answered:
            shares.append(_share(answered))
            if shares[-1] < settings.least_agreement:
                yield Verdict(row, _finding(answered, shares[-1]))
        elif given and settings.unanswered == "drop":
            yield Verdict(row, Finding(f"Asked again, the teacher gave no answer: {given[0].error}."))
    together.note_agreement(_agreement(together.number, shares, unanswered))


def _share(answered: Sequence[RowGrade]) -> float:
    return sum(grade.passed for grade in answered) / len(answered)


def _finding(answered: Sequence[RowGrade], share: float) -> Finding:
    same = sum(grade.passed for grade in answered)
    return Finding(f"Asked {len(answered)} times again, the teacher gave this answer {same} times.", score=share)


def _agreement(number: int, shares: Sequence[float], unanswered: int) -> Agreement:
    return Agreement(
        step=number,
        rows=len(shares),
        unanswered=unanswered,
        share=round(fmean(shares), 6) if shares else None,
        unanimous=sum(share == 1 for share in shares),
    )
