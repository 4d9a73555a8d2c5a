"""What the stages of a set's end have in common: its shards, its ranges, and where results lie.

A stage is cut into tasks. Each task is a piece of work with one result in S3, which says that it is done; whoever goes
on after one that was killed does the others. A task reads one share of what the stage before has left, and cuts what
it leaves itself into the shares that the next stage reads. There are as many shares as shards of 50,000 completions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import batched
from tempfile import TemporaryFile
from typing import IO, Any
from zlib import crc32

import orjson

from assembly.curate import Curator, Entry
from assembly.curation.rule import Known, Verdict
from assembly.making import Making
from assembly.parts import Parts, compares, work_of
from assembly.questions import TestQuestion
from assembly.row import Row
from assembly.stages import shares
from assembly.time_left import TimeLeft
from completions.selection import MOST_IN_A_PART, Part
from foundation import blobs

A_SHARD = 10
"""The parts of a shard, of 5,000 completions each."""

type ShareOf = Callable[[Row], int]
"""The share that a row belongs to."""


class Work:
    """The end of one set, as far as it is done."""

    def __init__(self, making: Making, parts: Parts, test: Sequence[TestQuestion], time_left: TimeLeft) -> None:
        self.making = making
        self.parts = parts
        self.test = test
        self._time_left = time_left
        self.compares = compares(making.recipe)
        self._there = set(blobs.keys(end_of(making.dataset_id)))
        self.shards: list[list[Part]] = [list(shard) for shard in batched(parts.all, A_SHARD, strict=False)]
        self.total = len(self.shards)

    def key(self, name: str) -> str:
        return f"{end_of(self.making.dataset_id)}{name}"

    def once(self, name: str, made: Callable[[], bytes]) -> None:
        """Do a piece of work unless its result is there. Raises GoesOn where no time is left for it."""
        if self.key(name) in self._there:
            return
        self._time_left.spend()
        blobs.put_new(self.key(name), made())
        self._there.add(self.key(name))

    def each(self, name: str, made: Callable[[int], bytes]) -> list[str]:
        """Do a task for each share, unless its result is there. Returns the names of the results."""
        names = [f"{name}-{number:04}" for number in range(self.total)]
        for number, of_task in enumerate(names):
            self.once(of_task, lambda number=number: made(number))  # type: ignore[misc]
        return names

    def shares(self, names: Iterable[str], number: int, *, of: int) -> Iterator[bytes]:
        """The share `number` of each of these results, which have `of` of them."""
        return shares.read_all(map(self.key, names), number, of=of)

    def rows(self, names: Iterable[str], number: int) -> Iterator[Row]:
        """The rows in the share `number` of what tasks have left."""
        for share in self.shares(names, number, of=2 * self.total):
            yield from (Row(**orjson.loads(line)) for line in share.splitlines())

    def evidence(self, names: Iterable[str], number: int) -> Iterator[tuple[int, str, list[Any]]]:
        """What tasks did to the completions of a range: time, id and evidence."""
        for share in self.shares(names, self.total + number, of=2 * self.total):
            yield from map(orjson.loads, share.splitlines())

    def settled(
        self,
        rows: Iterable[Row],
        steps: Sequence[Any],
        spool: IO[bytes],
        languages: Mapping[tuple[str, str], int] | None = None,
    ) -> Iterator[Entry]:
        """What the steps do to a share of the rows, whose lines and signatures lie in the spool."""
        curator = Curator(self.making.recipe, Known(), spool, self.test)
        curator.take(Entry(row.id, row.created, [], row) for row in rows)
        curator.settle(steps, self.parts.template() if self.compares else frozenset(), languages)
        return curator.part()

    def find_bounds(self) -> None:
        """Find where ranges begin, before a task needs it."""
        self.once("bounds", self._found_bounds)

    def judged(self, rows: Iterable[Row], rule: str, verdicts: Iterable[Verdict]) -> Iterator[Entry]:
        """What verdicts do to a share of the rows."""
        with TemporaryFile() as nothing:
            curator = Curator(self.making.recipe, Known(), nothing)
            curator.take(Entry(row.id, row.created, [], row) for row in rows)
            curator.judge(rule, verdicts)
            return curator.part()

    @cached_property
    def bounds(self) -> list[tuple[int, str]]:
        """Where ranges begin, by time and id: a range has the completions of about one shard."""
        return [(created, name) for created, name in orjson.loads(blobs.get(self.key("bounds")))]

    def range_of(self, created: int, name: str) -> int:
        return bisect_right(self.bounds, (created, name))

    def by_range(self, row: Row) -> int:
        return self.range_of(row.created, row.id)

    def by_question(self, row: Row) -> int:
        """Rows with one question are in one share."""
        return crc32(row.input_key.encode()) % self.total

    def by_shard(self, row: Row) -> int:
        """Rows of one shard are in one share."""
        return self.shard_of(row.number)

    def shard_of(self, number: int) -> int:
        """The shard of the row with this number."""
        return number // MOST_IN_A_PART // A_SHARD

    def _found_bounds(self) -> bytes:
        """The first of each shard but the first one. Completions of later parts are hardly ever older."""
        firsts = (min(map(_order, self.parts.entries(shard[0])), default=None) for shard in self.shards[1:])
        return orjson.dumps(sorted(first for first in firsts if first))


class Output:
    """What a task leaves: rows for the next stage, and what was done to completions, for the end."""

    def __init__(self, work: Work, share_of: ShareOf) -> None:
        self._work = work
        self._share_of = share_of
        self._rows = [bytearray() for _ in range(work.total)]
        self._evidence = [bytearray() for _ in range(work.total)]
        self.size = 0
        """How many rows it has."""

    def add(self, row: Row) -> None:
        """Leave a row to the next stage."""
        self._rows[self._share_of(row)] += orjson.dumps(row) + b"\n"
        self.size += 1

    def note(self, entry: Entry) -> None:
        """Keep what was done to a completion."""
        line = orjson.dumps([entry.created, entry.id, entry.evidence])
        self._evidence[self._work.range_of(entry.created, entry.id)] += line + b"\n"

    def take(self, entries: Iterable[Entry]) -> None:
        """What a step has left, and what it did."""
        for entry in entries:
            if entry.evidence:
                self.note(entry)
            if entry.row:
                self.add(entry.row)

    def packed(self) -> bytes:
        """Both, as the result of a task: the shares of rows, then the evidence by range."""
        return shares.packed([*self._rows, *self._evidence])


def _order(entry: Entry) -> tuple[int, str]:
    return entry.created, entry.id


def end_of(dataset_id: str) -> str:
    """Where the results of the stages of a dataset's end lie."""
    return f"{work_of(dataset_id)}end/"


def discard_end(dataset_id: str) -> None:
    """Delete the results of the stages: they are of a pass that has to be taken again."""
    blobs.delete(blobs.keys(end_of(dataset_id)))
