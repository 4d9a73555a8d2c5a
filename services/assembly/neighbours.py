"""Of many questions the one most alike another, and the groups of questions that may be alike.

In: questions with their signatures. Out: the pairs whose share of common pieces (Jaccard's index) is large enough. The
bands of the signatures find the pairs to look at; the share is then counted, not estimated.
"""

from __future__ import annotations

import heapq
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from assembly.row import Row
from assembly.signatures import bands, estimate, slices

_VERIFIED = 8
# More than three and a half standard errors of a share that 128 hashes estimate: sqrt(0.7 * 0.3 / 128) is 0.04.
_ERROR = 0.15


class Pieces(NamedTuple):
    """What a question is compared by: its pieces, and a digest of its other parts."""

    words: frozenset[str]
    other: bytes


class Question(NamedTuple):
    """The question of a row: its signature, and how its pieces are read again."""

    row: Row
    other: bytes
    """What its other parts are, as in `Pieces`: only questions in which they are the same are compared."""
    signature: bytes
    pieces: Callable[[], Pieces]


class Near(NamedTuple):
    """The row with the most alike question, and how alike it is, from 0 to 1."""

    row: Row
    score: float


class Neighbours:
    """Questions of which the one most alike another is looked for. In all of them the other parts are the same."""

    def __init__(self, similarity: float, template: frozenset[str]) -> None:
        self._least = similarity
        self._template = template
        self._bands = bands(similarity)
        self._questions: list[Question] = []
        self._by_slice: dict[int, list[int]] = defaultdict(list)

    def add(self, question: Question) -> None:
        for band in slices(question.signature, self._bands):
            self._by_slice[band].append(len(self._questions))
        self._questions.append(question)

    def nearest(self, question: Question) -> Near | None:
        """The question most alike; of as alike ones that with the first id."""
        met = {number for band in slices(question.signature, self._bands) for number in self._by_slice.get(band, ())}
        estimated = (
            (estimate(other.signature, question.signature), other) for other in map(self._questions.__getitem__, met)
        )
        possible = [(score, other) for score, other in estimated if score >= self._least - _ERROR]
        best_first = heapq.nsmallest(_VERIFIED, possible, key=lambda found: (-found[0], found[1].row.id))
        likely = [other for _, other in best_first]
        if not likely:
            return None
        words = question.pieces().words
        scored = [Near(other.row, self._share(words, other.pieces().words)) for other in likely]
        best = min(scored, key=lambda near: (-near.score, near.row.id))
        return best if best.score >= self._least else None

    def _share(self, ours: frozenset[str], theirs: frozenset[str]) -> float:
        first, second = own(ours, self._template), own(theirs, self._template)
        return len(first & second) / len(first | second)


def own(words: frozenset[str], template: frozenset[str]) -> frozenset[str]:
    """The pieces of a question that are not its template's; all, where there are no others."""
    return (words - template) or words


def meeting(signatures: Iterable[tuple[object, bytes]], similarity: float) -> Iterator[list[int]]:
    """The groups of questions, by their numbers in ascending order, of which each meets another one in a band.

    `signatures` are their signatures, each behind what must be equal of two questions. In memory are eight bytes for
    each band of each question, and the questions by the slices of one band after the other.
    """
    number = bands(similarity)
    of_all = array("q")
    for kind, signature in signatures:
        of_all.extend(hash((kind, slice_)) for slice_ in slices(signature, number))
    parents = array("q", range(len(of_all) // number))
    for band in range(number):
        first: dict[int, int] = {}
        for place, slice_ in enumerate(of_all[band::number]):
            met = first.setdefault(slice_, place)
            if met != place:
                joined(parents, met, place)
    members: dict[int, list[int]] = defaultdict(list)
    for place, root in roots_of(parents):
        members[root].append(place)
    yield from members.values()


def joined(parents: array[int], one: int, other: int) -> None:
    """Let two questions be of one group, whose first question stands for it."""
    one, other = _root(parents, one), _root(parents, other)
    parents[max(one, other)] = min(one, other)


def roots_of(parents: array[int]) -> Iterator[tuple[int, int]]:
    """The questions of groups of more than one, each with the first one of its group, which stands before the others.

    Questions are told by their numbers, and come in that order but for the first ones.
    """
    firsts = bytearray(len(parents))
    for place in range(len(parents)):
        root = _root(parents, place)
        if root != place:
            if not firsts[root]:
                firsts[root] = 1
                yield root, root
            yield place, root


def _root(parents: array[int], place: int) -> int:
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place
