"""Contradictions of one question, of which there may be very many."""

from __future__ import annotations

from io import BytesIO

from assembly.curation import contradictions
from assembly.curation.rule import Together
from assembly.questions import Questions
from assembly.row import Row
from distillations.recipe import Contradictions


class Counted(str):
    """An answer's key that counts how often it is compared."""

    __slots__ = ()
    times = 0
    __hash__ = str.__hash__

    def __ne__(self, other: object) -> bool:
        Counted.times += 1
        return str.__ne__(self, other)

    def __eq__(self, other: object) -> bool:
        Counted.times += 1
        return str.__eq__(self, other)


def test_ten_others_are_named_and_each_row_is_looked_at_a_few_times() -> None:
    answers = [*(f"answer {number}" for number in range(500)), *["most"] * 500]
    rows = [
        Row(f"chatcmpl-{number}", number, "question", Counted(answer), "", {}, 0, 0, 0, 0)
        for number, answer in enumerate(answers)
    ]
    verdicts = list(
        contradictions.decide(rows, Contradictions(keep="none"), Together(42, Questions(BytesIO(), [], [])))
    )
    others = {verdict.row.id: list(verdict.finding.others) for verdict in verdicts}
    assert len(others) == len(rows)
    assert others["chatcmpl-0"] == [f"chatcmpl-{number}" for number in range(1, 11)]
    assert others["chatcmpl-999"] == [f"chatcmpl-{number}" for number in range(10)]
    assert Counted.times < 20 * len(rows)
