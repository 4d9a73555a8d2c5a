"""Rows with their lines in one object, for a task that needs both."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import IO

import orjson

from assembly.questions import SIGNED
from assembly.row import Row
from assembly.stages.spool import lay

_HEAD = struct.Struct(">II")


def packed(row: Row, spool: IO[bytes], *, signed: bool = True) -> bytes:
    """A row, its line and, where `signed`, its signature, as they lie in the spool."""
    spool.seek(row.offset)
    line = spool.read(row.length)
    spool.seek(row.signed or 0)
    said = orjson.dumps(row)
    return b"".join([_HEAD.pack(len(said), len(line)), said, line, spool.read(SIGNED if signed else 0)])


def laid(objects: Iterable[bytes], spool: IO[bytes], *, signed: bool = True) -> Iterator[Row]:
    """The rows in what `packed` made, with what stood behind them in the spool."""
    behind = SIGNED if signed else 0
    for share in objects:
        at = 0
        while at < len(share):
            said, length = _HEAD.unpack_from(share, at)
            at += _HEAD.size
            row = Row(**orjson.loads(share[at : at + said]))
            at += said
            lay(spool, row, share[at : at + length], share[at + length : at + length + behind])
            at += length + behind
            yield row
