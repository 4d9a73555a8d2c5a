"""Which answer the words of a question speak for, learnt from the other questions of the set and their answers.

In: rows with answers of a closed set. Out: for a row how far its words speak for another answer than its own. It is a
naive Bayes classifier over words and pairs of words (Manning, Raghavan and Schütze, Introduction to Information
Retrieval, 13.2), from which the question itself is left out each time: no row speaks for itself. Its memory is bounded,
whatever the number of rows: it learns from 10,000 questions at most.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple
from zlib import crc32

from assembly.questions import Questions, sample
from assembly.row import Row

_LEARNT_FROM = 10_000
_LEAST_ROWS = 10
"""The rows of an answer without which nothing is learnt of it. Of a rare one of a large set most words are unknown:
up to 44% of its rows, all of them right, looked like those of another answer."""
_ENDS = 60
"""The words of a long question that count: so many at its beginning, and at its end."""
_BUCKETS = 1 << 19
_COMMON = 0.2
_SMOOTHING = 0.1
_FEW_ANSWERS = 8
_MOST_SEEN = 1_000
_SEEN = [math.log((min(count, _MOST_SEEN) + _SMOOTHING) / _SMOOTHING) for count in range(_LEARNT_FROM + 1)]
"""What a word counts for an answer that it was seen with so often."""


class Rival(NamedTuple):
    """Another answer that the words of a row's question speak for, by its key, and by how much more."""

    answer: str
    margin: float
    """The difference of the logarithms of both likelihoods, over the square root of the number of words that count: a
    sum of so many independent pieces of evidence has a spread of that size."""


def some_of(rows: Iterable[Row]) -> list[Row]:
    """The rows that may be learnt from. Those of some of the rows are those of all."""
    return sample(rows, _LEARNT_FROM)


def learnt(rows: Iterable[Row], answers: Container[str]) -> list[Row]:
    """The rows that are learnt from: `answers` are the keys of those that are told apart.

    An answer of which there are few rows is not among them, so that it is neither doubted nor preferred.
    """
    some = [row for row in some_of(rows) if row.answer_key in answers]
    counts = Counter(row.answer_key for row in some)
    return [row for row in some if counts[row.answer_key] >= _LEAST_ROWS]


class Likelihood:
    """What was learnt from rows, in the order of their keys."""

    def __init__(self, learnt: Sequence[Row], questions: Questions) -> None:
        self._questions = questions
        self._words: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._learnt: dict[str, str] = {}
        words = [array("I", _buckets(questions.words(row))) for row in learnt]
        telling, counts = _telling(words), defaultdict[int, Counter[str]](Counter)
        for row, of_row in zip(learnt, words, strict=True):
            self._learn(row, [word for word in of_row if word in telling], counts)
        self._counts = self._without_common(counts)
        self._unseen = {answer: self._per_word(answer, 0) for answer in self._rows}

    def read_from(self, questions: Questions) -> None:
        """Read the questions of rows from there from now on."""
        self._questions = questions

    def rival(self, row: Row) -> Rival | None:
        """The answer that is likeliest but for its own; None where its words say nothing."""
        words = self._words_of(row)
        own = self._learnt.get(row.input_key)
        if not words or row.answer_key not in self._rows:
            return None
        found: dict[str, float] = defaultdict(float)
        for word in words:
            for answer, count in self._counts[word]:
                found[answer] += _SEEN[count - (answer == own)]
        scores = {answer: seen + self._without(answer, own, len(words)) for answer, seen in found.items()}
        given = scores.pop(row.answer_key, None)
        if given is None:
            given = self._without(row.answer_key, own, len(words))
        if not scores:
            return None
        answer = max(scores, key=lambda one: (scores[one], one))
        return Rival(answer, (scores[answer] - given) / math.sqrt(len(words)))

    def _without(self, answer: str, own: str | None, words: int) -> float:
        """The likelihood of an answer by its frequency, for so many words of which none was seen with it."""
        is_own = answer == own
        per_word = self._per_word(answer, words) if is_own else self._unseen[answer]
        return math.log(self._rows[answer] - is_own + 1) - words * per_word

    def _per_word(self, answer: str, less: int) -> float:
        """What each word counts against an answer that was seen with so many words less."""
        return math.log(max(0, self._words[answer] - less) / _SMOOTHING + len(self._counts))

    def _learn(self, row: Row, words: Sequence[int], counts: Mapping[int, Counter[str]]) -> None:
        self._learnt[row.input_key] = row.answer_key
        self._rows[row.answer_key] += 1
        self._words[row.answer_key] += len(words)
        for word in words:
            counts[word][row.answer_key] += 1

    def _without_common(self, counts: Mapping[int, Counter[str]]) -> dict[int, tuple[tuple[str, int], ...]]:
        """The counts without words that go with most answers: they tell little of each, and take most of the time."""
        most = max(_FEW_ANSWERS, len(self._rows) // 2)
        for of_word in counts.values():
            if len(of_word) > most:
                self._words.subtract(of_word)
        return {word: tuple(of_word.items()) for word, of_word in counts.items() if len(of_word) <= most}

    def _words_of(self, row: Row) -> list[int]:
        return [word for word in _buckets(self._questions.words(row)) if word in self._counts]


def _telling(questions: Sequence[Sequence[int]]) -> frozenset[int]:
    """The words that tell something: neither of one question alone, nor of a fifth of all."""
    seen = array("H", bytes(2 * _BUCKETS))
    for words in questions:
        for word in words:
            seen[word] += 1
    most = max(2, int(_COMMON * len(questions)))
    # Of a small set most buckets are empty.
    is_small = sum(map(len, questions)) < len(seen) // 8
    within = set(chain.from_iterable(questions)) if is_small else range(len(seen))
    return frozenset(word for word in within if 1 < seen[word] <= most)


def _buckets(words: Sequence[str]) -> list[int]:
    """The words and the pairs of words of a question, each once, as numbers below a bound.

    The sum of a pair goes on from that of its first word.
    """
    if len(words) > 2 * _ENDS:
        words = [*words[:_ENDS], *words[-_ENDS:]]
    said = [word.encode() for word in words]
    sums = [crc32(word) for word in said]
    pairs = map(crc32, map(b" ".__add__, said[1:]), sums)
    return list(dict.fromkeys(number % _BUCKETS for number in (*sums, *pairs)))
