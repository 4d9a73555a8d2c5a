"""The lines and signatures of some rows of a large set, in a file for as long as a task needs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from tempfile import TemporaryFile
from typing import IO

from assembly.questions import SIGNED
from assembly.row import Row
from assembly.stages.work import Work
from completions.selection import MOST_IN_A_PART


@contextmanager
def spooled(work: Work, rows: Sequence[Row], *, signed: bool) -> Iterator[IO[bytes]]:
    """Lay the lines of the rows into a file and, where `signed`, their signatures. The rows know where theirs lie."""
    with TemporaryFile() as spool:
        by_number = sorted(rows, key=lambda row: row.number)
        for number, of_part in groupby(by_number, key=lambda row: row.number // MOST_IN_A_PART):
            part = work.parts.all[number]
            lines = work.parts.lines(part)
            signatures = work.parts.signatures(part) if signed else b""
            for row in of_part:
                line, signature = lines[row.lies : row.lies + row.length], signature_in(signatures, row)
                lay(spool, row, line, signature)
        yield spool


def signature_in(signatures: bytes, row: Row) -> bytes:
    """The signature of a row among those of its part."""
    start = row.number % MOST_IN_A_PART * SIGNED
    return signatures[start : start + SIGNED]


def lay(spool: IO[bytes], row: Row, line: bytes, signature: bytes) -> None:
    """Lay a line and its signature, if there is one, into the file."""
    row.offset = spool.tell()
    spool.write(line)
    row.signed = spool.tell() if signature else None
    spool.write(signature)
