"""Objects of completions: many completions in one S3 object, each a zstd frame of its own.

In: completions. Out: bytes from which each completion can be read alone, by its byte range, or all as one stream. A
frame can be wiped in place: a skippable frame of the same length (RFC 8878, 3.1.2) replaces it, so that no other frame
moves. An object is noted as begun before it is written and as finished when its rows are written; `unfinished` finds
those whose writer died in between.

    OPEN                 / <object id>           an object that is begun
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from backports import zstd
from botocore.exceptions import ClientError

from completions.completion import Completion
from completions.postings import Reference
from foundation import blobs, table
from foundation.ids import now_ms

_PREFIX = "completions/"
_SUFFIX = ".ndjson.zst"
_OPEN = "OPEN"
# Level 1 takes two thirds of the CPU of level 3, and single completions of 3 kB are only 1% larger.
_LEVEL = 1
_SKIPPABLE = 0x184D2A50
_HEADER = struct.Struct("<II")
_WHOLE_OBJECT_FROM = 8


def key_of(name: str) -> str:
    """Where an object lies: `name` is `<yyyy>/<mm>/<dd>/<id>`."""
    return f"{_PREFIX}{name}{_SUFFIX}"


def name_of(key: str) -> str:
    """The inverse of `key_of`."""
    return key.removeprefix(_PREFIX).removesuffix(_SUFFIX)


class Packed(NamedTuple):
    """A completion in its frame, and its reference, whose object and offset are not known yet."""

    reference: Reference
    frame: bytes


def frame_of(text: bytes) -> bytes:
    """The text as one zstd frame."""
    return _compressor().compress(text, zstd.ZstdCompressor.FLUSH_FRAME)


@cache
def _compressor() -> zstd.ZstdCompressor:
    """The one compressor, since making it takes as long as a completion. Each frame is written under its lock."""
    return zstd.ZstdCompressor(_LEVEL)


def packed(line: bytes, frame: bytes | None = None) -> Packed:
    """The completion in a line, packed into a frame unless one is given. Raises ValueError if it is no completion."""
    made = frame or frame_of(line + b"\n")
    return Packed(Reference.of(Completion.read(line), key="", offset=0, length=len(made)), made)


def together(completions: Iterable[Packed], key: str) -> tuple[bytes, list[Reference]]:
    """The object that will lie at this key, and where each completion lies in it."""
    references: list[Reference] = []
    offset = 0
    frames: list[bytes] = []
    for reference, frame in completions:
        references.append(reference._replace(object=key, offset=offset))
        frames.append(frame)
        offset += len(frame)
    return b"".join(frames), references


def unpack(body: bytes, key: str) -> list[Reference]:
    """The references of all completions in an object, read from its content; wiped ones have none."""
    return [reference for reference, _ in completions_in(body, key)]


def completions_in(body: bytes, key: str) -> Iterator[tuple[Reference, Completion]]:
    """All completions in an object with their references, read from its content, but for wiped ones."""
    offset = 0
    while offset < len(body):
        length = zstd.get_frame_size(memoryview(body)[offset:])
        line = zstd.decompress(body[offset : offset + length])
        if line:
            completion = Completion.read(line)
            yield Reference.of(completion, key=key, offset=offset, length=length), completion
        offset += length


def begin(object_id: str, key: str) -> None:
    """Note that this object is about to be written."""
    table.put({"pk": _OPEN, "sk": object_id, "key": key, "at": now_ms()})


def finish(object_id: str) -> None:
    """Note that all rows of this object are written."""
    table.delete(_OPEN, object_id)


def unfinished(*, before_ms: int) -> list[tuple[str, str]]:
    """The objects (id, key) that were begun before this time and never finished."""
    return [(row["sk"], row["key"]) for row in table.query(_OPEN) if row["at"] < before_ms]


def lines(key: str, references: list[Reference]) -> Iterator[tuple[Reference, bytes]]:
    """The JSON lines of these references of one object. Few are fetched one by one, many with the whole object.

    An object that is lost has no lines; the log names it.
    """
    try:
        yield from _lines(key, references)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        # Imported here, because it brings pydantic, and every cold start of the ingest imports this module.
        from foundation.consumer import logger

        logger().error("an object of completions is lost", extra={"key": key})


def _lines(key: str, references: list[Reference]) -> Iterator[tuple[Reference, bytes]]:
    if len(references) >= _WHOLE_OBJECT_FROM:
        body = blobs.get(key)
        for reference in references:
            yield reference, zstd.decompress(body[reference.offset : reference.offset + reference.length])
    else:
        for reference in references:
            frame = blobs.get(key, offset=reference.offset, length=reference.length)
            yield reference, zstd.decompress(frame)


def wipe(body: bytes, places: Iterable[tuple[int, int]]) -> bytes:
    """The object with skippable frames in place of those at these (offset, length). Wiping twice changes nothing."""
    wiped = bytearray(body)
    for offset, length in places:
        wiped[offset : offset + length] = _HEADER.pack(_SKIPPABLE, length - _HEADER.size) + bytes(length - _HEADER.size)
    return bytes(wiped)
