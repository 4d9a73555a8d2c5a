"""The questions of a set, by the pieces of three words that they share.

In: the questions of rows, read from the spool, and those of test rows. Out: questions with signatures, of which the
pairs that are nearly the same are looked for (`neighbours`). Signatures lie in the spool behind the lines.

System messages do not count: what makes two cases one is what was asked. Pieces that stand in a fifth of the questions
are the words of a prompt's template, and do not count either, unless a question has no others. An image or another part
that is no text, and a call, counts by what it is: two questions with different ones are never nearly the same.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import IO, Any

import orjson

from assembly.neighbours import Neighbours, Pieces, Question, meeting, own
from assembly.row import Row
from assembly.signatures import LENGTH, signature_of
from completions.messages import calls_of, is_text, parts_of
from completions.same_input import answer_key

_WORD = re.compile(r"\w+")
_PIECE = 3
_BYTES = 8
_MOST_WORDS = 5_000
_SAMPLE = 500
_LEAST_SAMPLE = 20
_TEMPLATE = 0.2
_NOT_SPOKEN = ("system", "developer")
SIGNED = LENGTH + 32
"""The bytes of a signature and of the digest of a question's other parts, as they lie in the spool."""


def pieces_of(messages: Sequence[dict[str, Any]]) -> Pieces:
    """The pieces of a question, in one case. A question of one or two words is one piece."""
    words, other = _spoken(messages)
    del words[_MOST_WORDS:]
    last = max(1, len(words) - _PIECE + 1)
    return Pieces(frozenset(_digest(words[at : at + _PIECE]) for at in range(last)), other)


def _spoken(messages: Sequence[dict[str, Any]]) -> tuple[list[str], bytes]:
    """The words of a question, in one case, and a digest of its parts that are none."""
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
    return words, other.digest()


def _digest(words: Sequence[str]) -> bytes:
    return hashlib.blake2b(" ".join(words).encode(), digest_size=_BYTES).digest()


class Questions:
    """The questions of the rows of one set, and of the test rows.

    `template` are the pieces of the prompts' templates, where they were looked for before.
    """

    def __init__(
        self,
        spool: IO[bytes],
        rows: Sequence[Row],
        test: Sequence[TestQuestion] = (),
        template: frozenset[bytes] | None = None,
    ) -> None:
        self._spool = spool
        self._rows = rows
        self._test = test
        self._known_template = template

    @cached_property
    def template(self) -> frozenset[bytes]:
        """The pieces of the prompts' templates. They follow from all rows that the steps by row have left."""
        if self._known_template is not None:
            return self._known_template
        return template_of(self._read(row).words for row in sample(self._rows))

    def of(self, row: Row) -> Question:
        """The question of a row. Its signature is made once, and lies in the spool from then on."""
        if row.signed is None:
            signed = self.signed(row)
            row.signed = self._spool.seek(0, 2)
            self._spool.write(signed)
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
        for row in rows:
            self.of(row)

        def signatures() -> Iterator[tuple[object, bytes]]:
            for row in rows:
                signature, other = self._signature(row)
                yield (row.answer_key, other), signature

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


def template_of(sampled: Iterable[frozenset[bytes]]) -> frozenset[bytes]:
    """The pieces that a fifth of the questions have, by the pieces of a sample of them."""
    counts: Counter[bytes] = Counter()
    total = 0
    for words in sampled:
        counts.update(words)
        total += 1
    return frozenset(piece for piece, count in counts.items() if total >= _LEAST_SAMPLE and count >= _TEMPLATE * total)


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
