"""`quality`: drops an answer that does not pass the criteria of an eval, or has too low a score.

Steps behind it know the grades. What a person corrected or keeps is not graded and is the best of all. In a dry
run nobody grades, and all rows are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assembly.curation.rule import Finding, Together, Verdict
from assembly.grading import Grades
from assembly.row import BY_A_PERSON, Row
from distillations.grades import RowGrade
from distillations.grading_steps import Quality


def decide(rows: Sequence[Row], settings: Quality, together: Together) -> Iterator[Verdict]:
    for row in rows:
        row.grade = BY_A_PERSON if row.by_hand else row.grade
    answered = [row for row in rows if not row.by_hand]
    grades = together.grading.grades(together.number, settings, answered) if together.grading else None
    if grades is None:
        return
    for row in answered:
        grade = grades.by_row.get(row.id)
        row.grade = (grade.passed, grade.score) if grade and grade.score is not None else None
        if grade:
            together.note_grade(row.id, grade)
        finding = _finding(grade, settings, grades)
        if finding:
            yield Verdict(row, finding)


def _finding(grade: RowGrade | None, settings: Quality, grades: Grades) -> Finding | None:
    """Why a row with this grade is dropped; None where it is kept."""
    if grade is None or grade.error:
        return Finding(_why_ungraded(grade, grades)) if settings.ungraded == "drop" else None
    if settings.keep == "passes" and not grade.passed:
        failed = ", ".join(criterion.name for criterion in grade.criteria if not criterion.passed)
        reason = f"The answer does not pass {failed}." if failed else "The answer was cut off, so it passes nothing."
        return Finding(reason, score=grade.score)
    if settings.least_score is not None and (grade.score is None or grade.score < settings.least_score):
        return Finding(f"The score of the answer is below {settings.least_score:g}.", score=grade.score)
    return None


def _why_ungraded(grade: RowGrade | None, grades: Grades) -> str:
    if grade:
        return f"It could not be graded: {grade.error}."
    if grades.run.left_out:
        return "It was not graded: the budget did not reach for it."
    return "It was not graded: it came to this step after the others had been graded."
