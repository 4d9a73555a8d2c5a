"""`doubtful`: drops an answer of a closed set where the rows around it clearly speak for another answer.

It needs no grades: what most questions with the same words are answered with is what the set as a whole believes, and a
row that is far from it is a mistake more often than not (confident learning, as Northcutt, Jiang and Chuang describe).
It looks at sets of 100 rows or more whose answers are few and come again, such as labels or calls. Answers to fewer
than ten rows are left alone, and so is one of which it doubts half of the rows: there it does not know the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from assembly.curation.rule import Finding, Together, Verdict
from assembly.likelihood import Likelihood, Rival
from assembly.row import Row
from distillations.text_steps import Doubtful

_LEAST_ROWS = 100
_LEAST_OF_AN_ANSWER = 10
_MOST_ANSWERS = 300
_CLOSED = 0.8
_TOO_MANY = 0.5


def decide(rows: Sequence[Row], settings: Doubtful, together: Together) -> Iterator[Verdict]:
    answers = {answer: count for answer, count in _answers(rows).items() if count >= _LEAST_OF_AN_ANSWER}
    covered = sum(answers.values())
    if covered < max(_LEAST_ROWS, _CLOSED * len(rows)) or not 1 < len(answers) <= _MOST_ANSWERS:
        return
    likelihood = Likelihood(rows, answers, together.questions)
    doubts = [(row, rival) for row in rows if (rival := _doubt(row, likelihood, settings.least_margin))]
    doubted = Counter(row.answer_key for row, _ in doubts)
    examples = {row.answer_key: row.id for row in reversed(rows)}
    for row, rival in doubts:
        if doubted[row.answer_key] < _TOO_MANY * answers[row.answer_key]:
            reason = "The words of its question speak for another answer, that of the row beside it."
            yield Verdict(row, Finding(reason, [examples[rival.answer]], rival.margin))


def _answers(rows: Sequence[Row]) -> Counter[str]:
    return Counter(row.answer_key for row in rows)


def _doubt(row: Row, likelihood: Likelihood, least: float) -> Rival | None:
    """The answer that a row should rather have. What a person looked at, or a grade passed, is not doubted."""
    if row.by_hand or (row.grade and row.grade[0]):
        return None
    rival = likelihood.rival(row)
    return rival if rival and rival.margin > least else None
