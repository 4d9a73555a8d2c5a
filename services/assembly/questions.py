"""The questions of a set, by the pieces of three words that they share; of scripts without spaces, three characters.

In: the questions of rows, read from the spool, and those of test rows. Out: questions with signatures, of which the
pairs that are nearly the same are looked for (`neighbours`). Signatures lie in the spool behind the lines.

System messages do not count: what makes two cases one is what was asked. Pieces that stand in a fifth of the questions
are the words of a prompt's template, and do not count either, unless a question has no others. An image or another part
that is no text, and a call, counts by what it is: two questions with different ones are never nearly the same.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import batched
from typing import IO, Any

import orjson

from assembly.neighbours import Neighbours, Pieces, Question, meeting, own
from assembly.row import Row
from assembly.signatures import LENGTH, signature_of
from completions.messages import calls_of, is_text, parts_of
from completions.same_input import answer_key
from foundation.words import words_in

_PIECE = 3
_LONGEST_WORD = 64
_MOST_WORDS = 5_000
_SAMPLE = 500
_AT_ONCE = 500
_LEAST_SAMPLE = 20
_TEMPLATE = 0.2
_NOT_SPOKEN = ("system", "developer")
SIGNED = LENGTH + 32
"""The bytes of a signature and of the digest of a question's other parts, as they lie in the spool."""


def pieces_of(messages: Sequence[dict[str, Any]]) -> Pieces:
    """The pieces of a question, in one case. A question of one or two words is one piece."""
    words, other = _spoken(messages)
    return Pieces(_cut(_short(words[:_MOST_WORDS])), other)


def _cut(words: Sequence[str]) -> frozenset[str]:
    if len(words) < _PIECE:
        return frozenset([" ".join(words)])
    return frozenset(map(" ".join, zip(words, words[1:], words[2:], strict=False)))


def _short(words: list[str]) -> list[str]:
    """The words, with a digest in the place of a long one: a question is so small as the number of its words is."""
    if max(map(len, words), default=0) <= _LONGEST_WORD:
        return words
    return [word if len(word) <= _LONGEST_WORD else hashlib.sha256(word.encode()).hexdigest() for word in words]


def _spoken(messages: Sequence[dict[str, Any]]) -> tuple[list[str], bytes]:
    """The words of a question, in one case, and a digest of its parts that are none."""
    words: list[str] = []
    other = hashlib.sha256()
    for message in messages:
        if message.get("role") in _NOT_SPOKEN:
            continue
        for part in parts_of(message.get("content")):
            if is_text(part):
                words += words_in(part["text"].casefold())
            else:
                other.update(orjson.dumps(part, option=orjson.OPT_SORT_KEYS))
        calls = calls_of(message)
        if calls:
            other.update(answer_key({"tool_calls": calls}).encode())
    return words, other.digest()


class Questions:
    """The questions of the rows of one set, and of the test rows.

    `template` are the pieces of the prompts' templates, where they were looked for before.
    """

    def __init__(
        self,
        spool: IO[bytes],
        rows: Sequence[Row],
        test: Sequence[TestQuestion] = (),
        template: frozenset[str] | None = None,
    ) -> None:
        self._spool = spool
        self._rows = rows
        self._test = test
        self._known_template = template

    @cached_property
    def template(self) -> frozenset[str]:
        """The pieces of the prompts' templates. They follow from all rows that the steps by row have left."""
        if self._known_template is not None:
            return self._known_template
        return template_of(self._read(row).words for row in sample(self._rows))

    def of(self, row: Row) -> Question:
        """The question of a row. Its signature is made once, and lies in the spool from then on."""
        if row.signed is None:
            self._sign([row])
        signature, other = self._signature(row)
        return Question(row, other, signature, lambda: self._read(row))

    def words(self, row: Row) -> list[str]:
        """The words of the question of a row, in one case."""
        return _spoken(self._messages(row))[0]

    def signed(self, row: Row) -> bytes:
        """The signature of a row's question and the digest of its other parts."""
        pieces = self._read(row)
        return signature_of(own(pieces.words, self.template)) + pieces.other

    def neighbours(self, similarity: float) -> Neighbours:
        """No questions yet, to which those of rows are added."""
        return Neighbours(similarity, self.template)

    def groups(self, rows: Sequence[Row], similarity: float) -> Iterator[list[Question]]:
        """The rows of one answer, in their order, whose questions may be nearly the same, group by group.

        No two rows of different groups are: the bands of their signatures never meet.
        """
        for some in batched((row for row in rows if row.signed is None), _AT_ONCE, strict=False):
            self._sign(some)
        signed = ((row, *self._signature(row)) for row in rows)
        signatures = (((row.answer_key, other), signature) for row, signature, other in signed)
        for group in meeting(signatures, similarity):
            yield [self.of(rows[place]) for place in group]

    def neighbours_in_test(self, similarity: float) -> dict[bytes, Neighbours]:
        """The questions of the test rows, by what their other parts are."""
        found: dict[bytes, Neighbours] = {}
        for test in self._test:
            pieces = test.pieces()
            question = Question(test.row, pieces.other, signature_of(own(pieces.words, self.template)), test.pieces)
            if question.other not in found:
                found[question.other] = self.neighbours(similarity)
            found[question.other].add(question)
        return found

    def _sign(self, rows: Sequence[Row]) -> None:
        """Lay the signatures of the rows behind whatever lies in the spool."""
        signed = [self.signed(row) for row in rows]
        end = self._spool.seek(0, 2)
        self._spool.write(b"".join(signed))
        for number, row in enumerate(rows):
            row.signed = end + number * SIGNED

    def _signature(self, row: Row) -> tuple[bytes, bytes]:
        self._spool.seek(row.signed or 0)
        signed = self._spool.read(SIGNED)
        return signed[:LENGTH], signed[LENGTH:]

    def _read(self, row: Row) -> Pieces:
        return pieces_of(self._messages(row))

    def _messages(self, row: Row) -> list[dict[str, Any]]:
        self._spool.seek(row.offset)
        messages: list[dict[str, Any]] = orjson.loads(self._spool.read(row.length))["messages"]
        return messages[:-1]


def question_in(line: bytes) -> Pieces:
    """The pieces of the question of an example's line."""
    return pieces_of(orjson.loads(line)["messages"][:-1])


def sample(rows: Iterable[Row], most: int = _SAMPLE) -> list[Row]:
    """Rows with distinct questions, the same ones whatever order rows come in: those with the smallest keys.

    Of rows with one question the last in time. The sample of samples is the sample of all.
    """
    distinct: dict[str, Row] = {}
    for row in rows:
        known = distinct.get(row.input_key)
        if known is None or known.order < row.order:
            distinct[row.input_key] = row
    return [distinct[key] for key in heapq.nsmallest(most, distinct)]


def template_of(sampled: Iterable[frozenset[str]]) -> frozenset[str]:
    """The pieces that a fifth of the questions have, by the pieces of a sample of them."""
    counts: Counter[str] = Counter()
    total = 0
    for words in sampled:
        counts.update(words)
        total += 1
    return frozenset(piece for piece, count in counts.items() if total >= _LEAST_SAMPLE and count >= _TEMPLATE * total)


class TestQuestion:
    """The question of a test row, which lies in no spool: its words, one behind the other."""

    __test__ = False

    def __init__(self, row_id: str, messages: Sequence[dict[str, Any]]) -> None:
        words, self._other = _spoken(messages)
        self._words = " ".join(_short(words[:_MOST_WORDS])).encode()
        self.row = Row(row_id, 0, "", "", "", {}, 0, 0, 0, 0)

    def pieces(self) -> Pieces:
        return Pieces(_cut(self._words.decode().split(" ")), self._other)
