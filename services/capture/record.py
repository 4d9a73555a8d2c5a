"""Write captured completions: one batch object in S3 for many messages, then the rows that make it readable.

In: `RecordCompletions` messages, as many as came together. Out: the messages that could not be read, each with its
error; when it returns, every other one is readable. The object is named after its messages; where a redelivery groups
them anew, a completion lies in two objects and is listed once. What was deleted is not recorded again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from backports import zstd

from completions import batches, frames, index
from completions.frames import Packed
from foundation import blobs, table
from foundation.events import Delivery, Message, RecordCompletions
from foundation.ids import derived_id, now_ms

_YOUNG_MS = 60_000
_BYTES_AN_OBJECT = 16 * 1024 * 1024


class Unpacked(NamedTuple):
    """A message and what is in it."""

    message: RecordCompletions
    completions: list[Packed]
    size: int


def deliveries(given: list[Delivery]) -> dict[str, Exception]:
    """Record what is for the recorder; what is not or cannot be read, by event id."""
    wrong = [one for one in given if not isinstance(one, RecordCompletions)]
    refused = record(one for one in given if isinstance(one, RecordCompletions))
    return refused | {one.event_id: TypeError("not for the recorder") for one in wrong if isinstance(one, Message)}


def record(messages: Iterable[RecordCompletions]) -> dict[str, Exception]:
    """Write the completions of these messages; those that cannot be read, by event id."""
    refused: dict[str, Exception] = {}
    for group in _groups(messages, refused):
        _write(group)
    return refused


def _groups(messages: Iterable[RecordCompletions], refused: dict[str, Exception]) -> Iterator[list[Unpacked]]:
    """Messages that fit into memory, and into one object, together."""
    group: list[Unpacked] = []
    size = 0
    for message in messages:
        try:
            unpacked = _unpacked(message)
        except (ValueError, zstd.ZstdError) as error:
            refused[message.event_id] = error
            continue
        group.append(unpacked)
        size += unpacked.size
        if size >= _BYTES_AN_OBJECT:
            yield group
            group, size = [], 0
    if group:
        yield group


def _unpacked(message: RecordCompletions) -> Unpacked:
    packed = message.records if message.records is not None else blobs.get(message.key or "")
    body = zstd.decompress(packed)
    lines = body.splitlines()
    # A completion that came alone is in a frame of its own already. Each is read and packed while it is at hand.
    alone = len(lines) == 1 and body == lines[0] + b"\n" and zstd.get_frame_size(packed) == len(packed)
    return Unpacked(message, [frames.packed(line, packed if alone else None) for line in lines], len(body))


def _write(group: list[Unpacked]) -> None:
    messages = [one.message for one in group]
    once = {(one.reference.id, one.reference.hash): one for unpacked in group for one in unpacked.completions}
    gone = _gone(group)
    kept = [one for one in once.values() if one.reference.id not in gone]
    # Another content is another object: rows of the first may already point into it.
    object_id = derived_id("", *(f"{message.batch_id}/{message.part}" for message in messages), *sorted(gone))
    if kept:
        _store(object_id, kept, day_ms=messages[0].at)
    table.write_all(batches.rows(object_id, messages))


def _gone(group: list[Unpacked]) -> set[str]:
    """The ids that were deleted since they were pushed; a push that is this young asked a moment ago."""
    late = now_ms() - _YOUNG_MS
    old = [one for unpacked in group if unpacked.message.at < late for one in unpacked.completions]
    return index.gone(one.reference.id for one in old)


def _store(object_id: str, completions: list[Packed], *, day_ms: int) -> None:
    day = datetime.fromtimestamp(day_ms / 1000, UTC).strftime("%Y/%m/%d")
    key = frames.key_of(f"{day}/{object_id}")
    body, references = frames.together(completions, key)
    frames.begin(object_id, key)
    blobs.put(key, body)
    table.write_all(index.rows(object_id, references))
    frames.finish(object_id)
