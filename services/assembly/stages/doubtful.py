"""The stage of doubtful answers: what all rows believe is learnt from 10,000 of them; each shard is held against it.

Which answers are told apart, which rows are learnt from, and of which answers too many rows are doubted is found over
all rows; lines are read shard by shard.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from tempfile import TemporaryFile
from typing import Any
from zlib import crc32

import orjson

from assembly.curation.doubtful import LEAST_OF_AN_ANSWER, closed, doubts_of, not_too_many, verdict_on
from assembly.likelihood import Likelihood, Rival, learnt, some_of
from assembly.questions import Questions
from assembly.row import Row
from assembly.stages.laid import laid, packed
from assembly.stages.plan import Stage
from assembly.stages.spool import spooled
from assembly.stages.work import Output, ShareOf, Work
from distillations.text_steps import Doubtful
from foundation import blobs

_BUCKETS = 1 << 22
_AT_ONCE = 30_000

type Rows = Callable[[], Iterator[Row]]


def doubtful(work: Work, stage: Stage, names: Sequence[str], share_of: ShareOf) -> list[str]:
    """Take the step. Returns the names of what is left."""
    [step] = stage.steps

    def all_rows() -> Iterator[Row]:
        return chain.from_iterable(work.rows(names, number) for number in range(work.total))

    answers = stage.name("answers")
    work.once(answers, lambda: _answers(all_rows))
    found = orjson.loads(blobs.get(work.key(answers)))
    teachers = frozenset(found["learnt"])
    lines = work.each(stage.name("lines"), lambda number: _lines(work, work.rows(names, number), teachers))

    @cache
    def likelihood() -> Likelihood:
        return _likelihood(work, lines, found["answers"])

    def doubted(number: int) -> bytes:
        if not found["answers"]:
            return b""
        return _doubted(work, step, list(work.rows(names, number)), likelihood())

    doubts = work.each(stage.name("doubts"), doubted)
    believed = stage.name("believed")
    work.once(believed, lambda: _believed(_read(work, doubts), found["answers"]))
    left = set(orjson.loads(blobs.get(work.key(believed))))

    def settled(number: int) -> bytes:
        output, rows = Output(work, share_of), list(work.rows(names, number))
        by_id = {row.id: row for row in rows}
        verdicts = [
            verdict_on(by_id[name], Rival(answer, margin), found["first"][answer])
            for name, own, answer, margin in _read(work, [doubts[number]])
            if own in left
        ]
        output.take(work.judged(rows, step.rule, verdicts))
        return output.packed()

    return work.each(stage.name("settled"), settled)


def _answers(rows: Rows) -> bytes:
    """The answers that are told apart, the first row of each, and the rows that are learnt from.

    Answers are counted by a hash first: of those that are given once, there may be as many as rows.
    """
    buckets, total = array("I", bytes(4 * _BUCKETS)), 0
    for row in rows():
        buckets[_bucket(row)] += 1
        total += 1
    often = (row for row in rows() if buckets[_bucket(row)] >= LEAST_OF_AN_ANSWER)
    answers = closed(Counter(row.answer_key for row in often), total)
    first: dict[str, tuple[int, str]] = {}
    some: list[Row] = []
    for row in rows() if answers else ():
        if row.answer_key in answers:
            first[row.answer_key] = min(first.get(row.answer_key, row.order), row.order)
        some.append(row)
        if len(some) >= _AT_ONCE:
            some = some_of(some)
    names = {answer: name for answer, (_, name) in first.items()}
    numbers = [row.number for row in learnt(some, answers)]
    return orjson.dumps({"answers": answers, "first": names, "learnt": numbers})


def _bucket(row: Row) -> int:
    return crc32(row.answer_key.encode()) % _BUCKETS


def _lines(work: Work, rows: Iterable[Row], teachers: frozenset[int]) -> bytes:
    """The rows of a shard that are learnt from, with their lines."""
    some = [row for row in rows if row.number in teachers]
    with spooled(work, some, signed=False) as spool:
        return b"".join(packed(row, spool, signed=False) for row in some)


def _likelihood(work: Work, lines: Sequence[str], answers: dict[str, int]) -> Likelihood:
    with TemporaryFile() as spool:
        every = laid((blobs.get(work.key(name)) for name in lines), spool, signed=False)
        return Likelihood(learnt(every, answers), Questions(spool, [], (), frozenset()))


def _doubted(work: Work, step: Doubtful, rows: list[Row], likelihood: Likelihood) -> bytes:
    """The rows of a shard that are doubted: id, answer, the answer that it should rather have, and by how much."""
    with spooled(work, rows, signed=False) as spool:
        likelihood.read_from(Questions(spool, [], (), frozenset()))
        found = [[row.id, row.answer_key, *rival] for row, rival in doubts_of(rows, likelihood, step)]
    return b"".join(orjson.dumps(one) + b"\n" for one in found)


def _believed(doubts: Iterable[list[Any]], answers: dict[str, int]) -> bytes:
    doubted = Counter(own for _, own, _, _ in doubts)
    return orjson.dumps(sorted(not_too_many(doubted, answers)))


def _read(work: Work, names: Iterable[str]) -> Iterator[list[Any]]:
    for name in names:
        yield from map(orjson.loads, blobs.get(work.key(name)).splitlines())
