"""The index of a dataset's rows: where each stands in `rows.jsonl`, so that a page costs a page.

In: the lines of the rows as they are written. Out: an object beside them, of which a reader takes three small ranges:
what each block of 500 rows holds, and in which block the row with an id stands.
"""

from __future__ import annotations

import hashlib
import struct
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from distillations.dataset import dataset_key
from distillations.dataset_row import DatasetRow
from foundation import blobs
from foundation.errors import ApiError

A_BLOCK = 500
_IN_A_BUCKET = 64
_HEAD = struct.Struct(">III")
"""How the index begins: the number of rows, that of buckets, and the length of what it says about blocks."""
_PLACE = struct.Struct(">I")
_ENTRY = struct.Struct(">QI")
_HASH_BYTES = 8


class Block(NamedTuple):
    """Some rows that follow each other: their bytes in `rows.jsonl`, and how many have an outcome or met a rule."""

    offset: int
    length: int
    outcomes: dict[str, int]
    rules: dict[str, int]

    def may_have(self, outcome: str | None, rule: str | None) -> bool:
        return (outcome is None or outcome in self.outcomes) and (rule is None or rule in self.rules)


def line_of(row: DatasetRow) -> bytes:
    """A row as it is written."""
    return orjson.dumps(row.model_dump(mode="json")) + b"\n"


def write(dataset_id: str, lines: Iterable[bytes]) -> None:
    """Write the rows of a dataset, a line each, and their index, over whatever an earlier delivery left."""
    index = _Index()
    noted = (index.add(line) for line in lines)
    blobs.put_lines(dataset_key(dataset_id, "rows.jsonl"), noted, content_type="application/jsonl")
    blobs.put_lines(dataset_key(dataset_id, "rows.index"), index.parts())


class _Index:
    """The index while rows are written: eight bytes a row are in memory."""

    def __init__(self) -> None:
        self._hashes = array("Q")
        self._blocks: list[Block] = []
        self._offset = 0

    def add(self, line: bytes) -> bytes:
        """Note the line of a row, and return it."""
        row = orjson.loads(line)
        if len(self._hashes) % A_BLOCK == 0:
            self._blocks.append(Block(self._offset, 0, Counter(), Counter()))
        block = self._blocks[-1]
        self._blocks[-1] = block._replace(length=block.length + len(line))
        block.outcomes[row["outcome"]] += 1
        for rule in {evidence["rule"] for evidence in row["evidence"]}:
            block.rules[rule] += 1
        self._offset += len(line)
        self._hashes.append(_hash(row["id"]))
        return line

    def parts(self) -> Iterator[bytes]:
        """The index itself: head, blocks, where each bucket begins, and the buckets' entries."""
        buckets = len(self._hashes) // _IN_A_BUCKET + 1
        blocks = orjson.dumps([list(block) for block in self._blocks])
        yield _HEAD.pack(len(self._hashes), buckets, len(blocks)) + blocks
        starts = array("L", bytes(8 * (buckets + 1)))
        for hashed in self._hashes:
            starts[hashed % buckets + 1] += 1
        for bucket in range(buckets):
            starts[bucket + 1] += starts[bucket]
            yield _PLACE.pack(starts[bucket])
        yield _PLACE.pack(starts[buckets])
        yield from self._entries(starts, buckets)

    def _entries(self, starts: array[int], buckets: int) -> Iterator[bytes]:
        numbers = array("L", bytes(8 * len(self._hashes)))
        for number, hashed in enumerate(self._hashes):
            numbers[starts[hashed % buckets]] = number
            starts[hashed % buckets] += 1
        for number in numbers:
            yield _ENTRY.pack(self._hashes[number], number)


class Rows:
    """The rows of a dataset, read by their index."""

    def __init__(self, dataset_id: str) -> None:
        """Raises ApiError where the dataset has none."""
        self._rows = dataset_key(dataset_id, "rows.jsonl")
        self._index = dataset_key(dataset_id, "rows.index")
        if not blobs.exists(self._index):
            raise ApiError(
                "This dataset is older than the evidence by row: make it again.",
                code="no_rows",
                param="dataset_id",
                status=404,
            )
        _, self._buckets, length = _HEAD.unpack(blobs.get(self._index, offset=0, length=_HEAD.size))
        self._start = _HEAD.size + length
        blocks = orjson.loads(blobs.get(self._index, offset=_HEAD.size, length=length))
        self._blocks = [Block(*block) for block in blocks]

    def find(self, row_id: str) -> dict[str, Any] | None:
        """The row with this id."""
        number = self._number_of(row_id)
        return None if number is None else self._read(number // A_BLOCK)[number % A_BLOCK]

    def fitting(self, outcome: str | None, rule: str | None, *, after: str | None) -> Iterator[dict[str, Any]]:
        """The rows with an outcome to which a rule did something, lazily; behind the one with an id, if one is given.

        There are none where there is no row with this id. Blocks without such a row are not read.
        """
        last = -1 if after is None else self._number_of(after)
        if last is None:
            return
        for number in range((last + 1) // A_BLOCK, len(self._blocks)):
            if not self._blocks[number].may_have(outcome, rule):
                continue
            for at, row in enumerate(self._read(number), start=number * A_BLOCK):
                rules = {evidence["rule"] for evidence in row["evidence"]}
                if at > last and outcome in {None, row["outcome"]} and (rule is None or rule in rules):
                    yield row

    def _read(self, number: int) -> list[dict[str, Any]]:
        block = self._blocks[number]
        return [
            orjson.loads(line) for line in blobs.get(self._rows, offset=block.offset, length=block.length).splitlines()
        ]

    def _number_of(self, row_id: str) -> int | None:
        hashed = _hash(row_id)
        place = self._start + hashed % self._buckets * _PLACE.size
        bounds = blobs.get(self._index, offset=place, length=2 * _PLACE.size)
        first, last = (start for (start,) in _PLACE.iter_unpack(bounds))
        begin = self._start + (self._buckets + 1) * _PLACE.size + first * _ENTRY.size
        entries = blobs.get(self._index, offset=begin, length=(last - first) * _ENTRY.size)
        numbers = [number for found, number in _ENTRY.iter_unpack(entries) if found == hashed]
        return next((at for at in numbers if self._read(at // A_BLOCK)[at % A_BLOCK]["id"] == row_id), None)


def _hash(row_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(row_id.encode(), digest_size=_HASH_BYTES).digest())
