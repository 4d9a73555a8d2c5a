"""Which questions are nearly the same: by the pieces of three words that they share.

In: the questions of rows, read from the spool, and those of test rows. Out: for one question the most alike of others,
with the share of the pieces of both that they have in common (Jaccard's index). MinHash signatures and bands of them
(rensa) find the pairs to look at; the share is then counted, not estimated.

System messages do not count: what makes two cases one is what was asked. Pieces that stand in a fifth of the questions
are the words of a prompt's template, and do not count either, unless a question has no others. An image or another part
that is no text, and a call, counts by what it is: two questions with different ones are never nearly the same.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import orjson

from assembly.row import Row
from completions.messages import calls_of, is_text, parts_of
from completions.same_input import answer_key

if TYPE_CHECKING:
    from rensa import RMinHash, RMinHashLSH

_WORD = re.compile(r"\w+")
_PIECE = 3
_BYTES = 8
_MOST_WORDS = 5_000
_HASHES = 128
_SEED = 42
_SURE = 0.99
_VERIFIED = 8
# More than three and a half standard errors of a share that 128 hashes estimate: sqrt(0.7 * 0.3 / 128) is 0.04.
_ERROR = 0.15
_SAMPLE = 500
_LEAST_SAMPLE = 20
_TEMPLATE = 0.2
_NOT_SPOKEN = ("system", "developer")


class Pieces(NamedTuple):
    """What a question is compared by: digests of its pieces, and one of its other parts."""

    words: frozenset[bytes]
    other: str


class Question(NamedTuple):
    """The question of a row: its signature, and how its pieces are read again."""

    row: Row
    other: str
    """What its other parts are, as in `Pieces`: only questions in which they are the same are compared."""
    signature: RMinHash
    pieces: Callable[[], Pieces]


class Near(NamedTuple):
    """The row with the most alike question, and how alike it is, from 0 to 1."""

    row: Row
    score: float


def pieces_of(messages: Sequence[dict[str, Any]]) -> Pieces:
    """The pieces of a question, in one case. A question of one or two words is one piece."""
    words: list[str] = []
    other = hashlib.sha256()
    for message in messages:
        if message.get("role") in _NOT_SPOKEN:
            continue
        for part in parts_of(message.get("content")):
            if is_text(part):
                words += _WORD.findall(part["text"].casefold())
            else:
                other.update(orjson.dumps(part, option=orjson.OPT_SORT_KEYS))
        calls = calls_of(message)
        if calls:
            other.update(answer_key({"tool_calls": calls}).encode())
    del words[_MOST_WORDS:]
    last = max(1, len(words) - _PIECE + 1)
    return Pieces(frozenset(_digest(words[at : at + _PIECE]) for at in range(last)), other.hexdigest())


def _digest(words: Sequence[str]) -> bytes:
    return hashlib.blake2b(" ".join(words).encode(), digest_size=_BYTES).digest()


class Neighbours:
    """Questions of which the one most alike another is looked for. In all of them the other parts are the same."""

    def __init__(self, similarity: float, template: frozenset[bytes]) -> None:
        # Imported here: recipes without such a step do not pay for it.
        from rensa import RMinHashLSH

        self._least = similarity
        self._template = template
        self._questions: list[Question] = []
        self._bands: RMinHashLSH = RMinHashLSH(similarity, _HASHES, _bands(similarity))

    def add(self, question: Question) -> None:
        self._bands.insert(len(self._questions), question.signature)
        self._questions.append(question)

    def nearest(self, question: Question) -> Near | None:
        """The question most alike; of as alike ones that with the first id."""
        candidates = [self._questions[number] for number in self._bands.query(question.signature)]
        estimated = ((other.signature.jaccard(question.signature), other) for other in candidates)
        possible = [(score, other) for score, other in estimated if score >= self._least - _ERROR]
        best_first = heapq.nsmallest(_VERIFIED, possible, key=lambda found: (-found[0], found[1].row.id))
        likely = [other for _, other in best_first]
        if not likely:
            return None
        words = question.pieces().words
        scored = [Near(other.row, self._share(words, other.pieces().words)) for other in likely]
        best = min(scored, key=lambda near: (-near.score, near.row.id))
        return best if best.score >= self._least else None

    def _share(self, ours: frozenset[bytes], theirs: frozenset[bytes]) -> float:
        first, second = _own(ours, self._template), _own(theirs, self._template)
        return len(first & second) / len(first | second)


class Questions:
    """The questions of the rows of one set, and of the test rows."""

    def __init__(self, spool: IO[bytes], rows: Sequence[Row], test: Sequence[TestQuestion]) -> None:
        self._spool = spool
        self._test = test
        self._template = self._words_of_templates(rows)
        self._questions: dict[str, Question] = {}

    def of(self, row: Row) -> Question:
        """The question of a row. Its signature is made once."""
        if row.id not in self._questions:
            self._questions[row.id] = self._question(row, lambda: self._read(row))
        return self._questions[row.id]

    def neighbours(self, similarity: float) -> Neighbours:
        """No questions yet, to which those of rows are added."""
        return Neighbours(similarity, self._template)

    def neighbours_in_test(self, similarity: float) -> dict[str, Neighbours]:
        """The questions of the test rows, by what their other parts are."""
        found: dict[str, Neighbours] = {}
        for test in self._test:
            question = self._question(test.row, test.pieces)
            if question.other not in found:
                found[question.other] = self.neighbours(similarity)
            found[question.other].add(question)
        return found

    def _question(self, row: Row, read: Callable[[], Pieces]) -> Question:
        pieces = read()
        return Question(row, pieces.other, _signature(_own(pieces.words, self._template)), read)

    def _read(self, row: Row) -> Pieces:
        self._spool.seek(row.offset)
        line = orjson.loads(self._spool.read(row.length))
        return pieces_of(line["messages"][:-1])

    def _words_of_templates(self, rows: Sequence[Row]) -> frozenset[bytes]:
        """The pieces that a fifth of the questions have, by a sample that does not depend on the rows' order."""
        distinct = {row.input_key: row for row in sorted(rows, key=lambda row: row.order)}
        sample = heapq.nsmallest(_SAMPLE, distinct)
        if len(sample) < _LEAST_SAMPLE:
            return frozenset()
        counts: Counter[bytes] = Counter()
        for key in sample:
            counts.update(self._read(distinct[key]).words)
        least = _TEMPLATE * len(sample)
        return frozenset(piece for piece, count in counts.items() if count >= least)


class TestQuestion:
    """The question of a test row, which lies in no spool: the digests of its pieces, one behind the other."""

    __test__ = False

    def __init__(self, row_id: str, messages: Sequence[dict[str, Any]]) -> None:
        pieces = pieces_of(messages)
        self._pieces = b"".join(pieces.words)
        self._other = pieces.other
        self.row = Row(row_id, 0, "", "", "", {}, 0, 0, 0, 0)

    def pieces(self) -> Pieces:
        starts = range(0, len(self._pieces), _BYTES)
        return Pieces(frozenset(self._pieces[at : at + _BYTES] for at in starts), self._other)


def _own(words: frozenset[bytes], template: frozenset[bytes]) -> frozenset[bytes]:
    return (words - template) or words


def _signature(words: frozenset[bytes]) -> RMinHash:
    from rensa import RMinHash

    signature = RMinHash(_HASHES, _SEED)
    signature.update(list(words))
    return signature


def _bands(similarity: float) -> int:
    """The fewest bands of the signature by which two questions of this similarity meet in one in 99 of 100 cases."""
    for bands in (8, 16, 32, 64):
        if 1 - (1 - similarity ** (_HASHES / bands)) ** bands >= _SURE:
            return bands
    return _HASHES
