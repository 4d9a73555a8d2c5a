"""`doubtful`: drops an answer of a closed set where the rows around it clearly speak for another answer.

It needs no grades: what most questions with the same words are answered with is what the set as a whole believes, and a
row that is far from it is a mistake more often than not (confident learning, as Northcutt, Jiang and Chuang describe).
It looks at sets of 100 rows or more whose answers are few and come again, such as labels or calls. Answers to fewer
than ten rows are left alone, and so is one of which it doubts half of the rows: there it does not know the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from assembly.curation.rule import Finding, Together, Verdict
from assembly.likelihood import Likelihood, Rival, learnt
from assembly.row import Row
from distillations.text_steps import Doubtful

_LEAST_ROWS = 100
LEAST_OF_AN_ANSWER = 10
_MOST_ANSWERS = 300
_CLOSED = 0.8
_TOO_MANY = 0.5


def decide(rows: Sequence[Row], settings: Doubtful, together: Together) -> Iterator[Verdict]:
    answers = closed(Counter(row.answer_key for row in rows), len(rows))
    if not answers:
        return
    likelihood = Likelihood(learnt(rows, answers), together.questions)
    doubts = list(doubts_of(rows, likelihood, settings))
    believed = not_too_many(Counter(row.answer_key for row, _ in doubts), answers)
    examples = {row.answer_key: row.id for row in reversed(rows)}
    for row, rival in doubts:
        if row.answer_key in believed:
            yield verdict_on(row, rival, examples[rival.answer])


def closed(counts: Mapping[str, int], total: int) -> dict[str, int]:
    """The answers that are told apart, of so many rows, with their counts; none where they are no closed set."""
    answers = {answer: count for answer, count in counts.items() if count >= LEAST_OF_AN_ANSWER}
    covered = sum(answers.values())
    fits = covered >= max(_LEAST_ROWS, _CLOSED * total) and 1 < len(answers) <= _MOST_ANSWERS
    return answers if fits else {}


def doubts_of(rows: Iterable[Row], likelihood: Likelihood, settings: Doubtful) -> Iterator[tuple[Row, Rival]]:
    """The rows that are doubted, each with the answer that it should rather have."""
    for row in rows:
        rival = _doubt(row, likelihood, settings.least_margin)
        if rival:
            yield row, rival


def not_too_many(doubted: Mapping[str, int], answers: Mapping[str, int]) -> set[str]:
    """The answers of which so few rows are doubted that the doubts are believed."""
    return {answer for answer, count in doubted.items() if count < _TOO_MANY * answers[answer]}


def verdict_on(row: Row, rival: Rival, example: str) -> Verdict:
    """What becomes of a row that is doubted. `example` is the first row with the answer that its words speak for."""
    reason = "The words of its question speak for another answer, that of the row beside it."
    return Verdict(row, Finding(reason, [example], rival.margin))


def _doubt(row: Row, likelihood: Likelihood, least: float) -> Rival | None:
    """The answer that a row should rather have. What a person looked at, or a grade passed, is not doubted."""
    if row.by_hand or (row.grade and row.grade[0]):
        return None
    rival = likelihood.rival(row)
    return rival if rival and rival.margin > least else None
