"""Freeze the test rows of a distillation: once, before anything is measured.

In: the `test` source. Out: one JSONL object that all three runs read, written once whatever is redelivered. Of rows
with the same input the first is kept, or the first that the teacher answered; it says how many others there were.
"""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO, NamedTuple

import orjson

from completions.same_input import input_key
from distillations.distillation import Distillation
from distillations.rows import rows_of
from foundation import blobs


class Frozen(NamedTuple):
    """What the frozen object holds; `teacher_answered` where every row has a stored answer of the teacher.

    `duplicates` are the completions, or lines of the file, that asked what a row asks already.
    """

    rows: int
    duplicates: int
    bytes: int
    completion_ids: list[str]
    teacher_answered: bool


def freeze(distillation: Distillation) -> Frozen:
    """Write the rows unless they are written, and describe them. Raises ApiError where the file has no usable rows."""
    key = distillation.rows_key
    if not blobs.exists(key):
        with TemporaryFile() as spool:
            blobs.put_new_lines(key, _unique(distillation, spool), content_type="application/jsonl")
    return _described(key)


def _described(key: str) -> Frozen:
    """What lies there, read row by row; without rows there is no object."""
    size, duplicates, answered = 0, 0, True
    completion_ids: list[str] = []
    for line in blobs.raw_lines(key) or ():
        row = orjson.loads(line)
        size += len(line)
        duplicates += row.get("duplicates", 0)
        completion_ids.append(row["item"]["completion_id"])
        answered = answered and "sample" in row
    return Frozen(len(completion_ids), duplicates, size, completion_ids, answered)


class _Kept(NamedTuple):
    """Where a row lies in the spool, whether the teacher answered it, and how many others had its input."""

    offset: int
    length: int
    answered: bool
    duplicates: int


def _unique(distillation: Distillation, spool: IO[bytes]) -> Iterator[bytes]:
    """The lines to freeze. Which row of an input is kept is known at the end; until then all wait in the spool."""
    kept: dict[str, _Kept] = {}
    for row in rows_of(distillation.test, distillation.teacher, answered=distillation.repeats is not None):
        key, answered = input_key(row["item"]["input"]), "sample" in row
        earlier = kept.get(key)
        duplicates = earlier.duplicates + 1 if earlier else 0
        if earlier and (earlier.answered or not answered):
            kept[key] = earlier._replace(duplicates=duplicates)
        else:
            kept[key] = _Kept(spool.tell(), spool.write(orjson.dumps(row)), answered, duplicates)
    for line in kept.values():
        spool.seek(line.offset)
        yield _line(spool.read(line.length), line.duplicates)


def _line(row: bytes, duplicates: int) -> bytes:
    counted = orjson.dumps({**orjson.loads(row), "duplicates": duplicates}) if duplicates else row
    return counted + b"\n"
