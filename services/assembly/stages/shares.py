"""Objects that are cut into shares: whoever needs one share of many objects reads nothing else of them.

In: shares, by number. Out: one object, which begins with where each share ends.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import accumulate

from foundation import blobs

_END = struct.Struct(">Q")
_READERS = 8
_READ = 1024 * 1024


def packed(shares: Sequence[bytes | bytearray]) -> bytes:
    """The object of these shares."""
    head = b"".join(_END.pack(end) for end in accumulate(map(len, shares)))
    return b"".join([head, *shares])


def read(key: str, number: int, *, of: int) -> bytes:
    """The share `number` of an object that has `of` of them."""
    start, end = _where(key, number, of)
    return blobs.get(key, offset=start, length=end - start)


def lines(key: str, number: int, *, of: int) -> Iterator[bytes]:
    """The lines of the share `number`, of which a megabyte is in memory."""
    at, end = _where(key, number, of)
    rest = b""
    while at < end:
        length = min(_READ, end - at)
        *whole, rest = (rest + blobs.get(key, offset=at, length=length)).split(b"\n")
        at += length
        yield from whole


def _where(key: str, number: int, of: int) -> tuple[int, int]:
    """Where a share begins and ends in its object."""
    first = max(0, number - 1)
    head = blobs.get(key, offset=first * _END.size, length=(number - first + 1) * _END.size)
    *before, end = (found for (found,) in _END.iter_unpack(head))
    return of * _END.size + (before[0] if before else 0), of * _END.size + end


def read_all(keys: Iterable[str], number: int, *, of: int) -> Iterator[bytes]:
    """The share `number` of each object, in the order of the objects."""
    with ThreadPoolExecutor(_READERS) as readers:
        yield from readers.map(partial(read, number=number, of=of), keys)
