"""Texts with nearly the same ones planted among them, and how the pairs that somebody has found are judged.

In: how many texts. Out: texts of 200 words, each with its number. Of one in ten a copy follows in which one to five
words, wherever they stand, are others: 86% to 97% of its pieces of three words are the same. Only the standard library
is imported: peers read the texts in environments of their own.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

SIMILARITY = 0.85
_WORDS = [f"word{number}" for number in range(5_000)]
_LENGTH = 200
_A_COPY_IN = 10
_MOST_CHANGED = 5

type Pair = tuple[int, int]


def words_of(number: int) -> list[str]:
    """The words of the text of this number, in which no other is planted."""
    return random.Random(number).choices(_WORDS, k=_LENGTH)


def changed(number: int) -> list[str]:
    """The words of a copy of the text of this number, one to five of them others."""
    words, dice = words_of(number), random.Random(-number - 1)
    for place in dice.sample(range(_LENGTH), 1 + number // _A_COPY_IN % _MOST_CHANGED):
        words[place] = dice.choice(_WORDS)
    return words


def texts(total: int) -> Iterator[str]:
    """So many texts; a copy is behind its text."""
    for number in range(total):
        yield " ".join(changed(number - 1) if is_copy(number) else words_of(number))


def is_copy(number: int) -> bool:
    return number % _A_COPY_IN == 1


def planted(total: int) -> set[Pair]:
    return {(number - 1, number) for number in range(total) if is_copy(number)}


def judged(found: Iterable[Pair], right: set[Pair]) -> tuple[float, float]:
    """Recall and precision of the pairs that were found; where there are none, either is 1."""
    pairs = {(min(pair), max(pair)) for pair in found}
    both = len(pairs & right)
    return both / len(right) if right else 1.0, both / len(pairs) if pairs else 1.0
