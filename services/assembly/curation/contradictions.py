"""`contradictions`: drops completions that answer one question in another way than the one that is kept.

Where a person corrected an answer to the question, or keeps it, that is the one, of several the newest, whatever else
is asked for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice

from assembly.curation.rule import Finding, Together, Verdict
from assembly.row import Row
from distillations.recipe import Contradictions

_SHOWN = 10


def decide(rows: Sequence[Row], settings: Contradictions, together: Together) -> Iterator[Verdict]:  # noqa: ARG001
    by_input: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_input[row.input_key].append(row)
    for same in by_input.values():
        if len({row.answer_key for row in same}) > 1:
            yield from _settled(same, settings.keep)


def _settled(same: list[Row], keep: str) -> Iterator[Verdict]:
    votes = Counter(row.answer_key for row in same)
    by_hand = [row for row in same if row.by_hand]
    if keep == "none" and not by_hand:
        others = {answer: _others(same, answer) for answer in votes}
        for row in same:
            yield Verdict(row, Finding("Its question has other answers, too.", others[row.answer_key], 1.0))
        return
    kept = _newest(by_hand) if by_hand else _KEPT[keep](same)
    for row in same:
        if row.answer_key != kept.answer_key:
            ours, theirs = votes[row.answer_key], votes[kept.answer_key]
            gave = f"{theirs} of {len(same)} completions gave the answer that is kept, {ours} this one"
            graded = ", and it is graded better" if keep == "best" and kept.rank > row.rank else ""
            yield Verdict(row, Finding(f"Its question has another answer, too: {gave}{graded}.", [kept.id], 1.0))


def _newest(rows: list[Row]) -> Row:
    return max(rows, key=lambda row: row.order)


def _others(same: list[Row], answer: str) -> list[str]:
    """The first ten completions with another answer than this one."""
    return list(islice((row.id for row in same if row.answer_key != answer), _SHOWN))


def _majority(same: list[Row]) -> Row:
    """The newest completion with the answer that most gave; of answers that as many gave, the newest."""
    votes = Counter(row.answer_key for row in same)
    return max(same, key=lambda row: (votes[row.answer_key], row.order))


def _best(same: list[Row]) -> Row:
    """The best graded completion; of several that are as good that of the majority."""
    rank = max(row.rank for row in same)
    return _majority([row for row in same if row.rank == rank])


_KEPT = {"majority": _majority, "newest": _newest, "best": _best}
