"""Write captured completions: one object in S3 for many messages, then the rows that make it readable.

In: the `RecordCompletions` messages that came together. Out: the errors of the messages that could not be read or
written; the completions of all others are readable when it returns. The object's id follows from its messages. If SQS
delivers them again in other groups, a completion lies in two objects and lists show it once. A deleted completion is
not recorded again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from backports import zstd

from completions import batches, frames, index
from completions.frames import Packed
from foundation import blobs, table
from foundation.capture_messages import RecordCompletions
from foundation.events import Delivery
from foundation.ids import derived_id, now_ms
from foundation.isolate import isolate
from foundation.message import Message

_YOUNG_MS = 60_000
_BYTES_AN_OBJECT = 16 * 1024 * 1024


class Unpacked(NamedTuple):
    """A message, the completions in it, and their size in bytes as JSON lines."""

    message: RecordCompletions
    completions: list[Packed]
    size: int


def deliveries(given: list[Delivery]) -> dict[str, Exception]:
    """Record the messages that are for the recorder. Returns the errors of all others by event id."""
    refused = record(message for message in given if isinstance(message, RecordCompletions))
    misdirected = [message for message in given if not isinstance(message, RecordCompletions)]
    return refused | {
        message.event_id: TypeError("not for the recorder") for message in misdirected if isinstance(message, Message)
    }


def record(messages: Iterable[RecordCompletions]) -> dict[str, Exception]:
    """Write the completions of these messages. Returns the errors of those that cannot be, by event id.

    A group of which one message cannot be written is written in halves, until that message is alone.
    """
    refused: dict[str, Exception] = {}
    for group in _groups(messages, refused):
        for guilty, error in isolate(group, _write):
            refused[guilty.message.event_id] = error
        # What is recorded lies in its batch object, where a deletion erases it.
        blobs.delete(part.message.key for part in group if part.message.key and part.message.event_id not in refused)
    return refused


def _groups(messages: Iterable[RecordCompletions], refused: dict[str, Exception]) -> Iterator[list[Unpacked]]:
    """Groups of messages that fit into memory and into one object. Adds those that cannot be read to `refused`."""
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
    packed = message.records if message.records is not None else blobs.find(message.key or "")
    if packed is None:
        # It was recorded by an earlier delivery, which deleted it then.
        return Unpacked(message, [], 0)
    body = zstd.decompress(packed)
    lines = body.splitlines()
    # A completion that came alone is in a frame of its own already: that frame is stored as it is.
    alone = len(lines) == 1 and body == lines[0] + b"\n" and zstd.get_frame_size(packed) == len(packed)
    return Unpacked(message, [frames.packed(line, packed if alone else None) for line in lines], len(body))


def _write(group: Sequence[Unpacked]) -> None:
    messages = [unpacked.message for unpacked in group]
    packed = [completion for unpacked in group for completion in unpacked.completions]
    by_content = {(completion.reference.id, completion.reference.hash): completion for completion in packed}
    gone = _gone(group)
    kept = [completion for completion in by_content.values() if gone.isdisjoint(index.names(completion.reference))]
    # Rows may already point into an object that was written before some of its completions were deleted.
    object_id = derived_id("", *(f"{message.batch_id}/{message.part}" for message in messages), *sorted(gone))
    if kept:
        _store(object_id, kept, day_ms=messages[0].at)
    table.write_all(batches.rows(object_id, messages))


def _gone(group: Sequence[Unpacked]) -> set[str]:
    """The ids that were deleted since they were pushed. The ingest has just looked up those of a young push."""
    late = now_ms() - _YOUNG_MS
    old = [completion for unpacked in group if unpacked.message.at < late for completion in unpacked.completions]
    return index.gone(name for completion in old for name in index.names(completion.reference))


def _store(object_id: str, completions: list[Packed], *, day_ms: int) -> None:
    day = datetime.fromtimestamp(day_ms / 1000, UTC).strftime("%Y/%m/%d")
    key = frames.key_of(f"{day}/{object_id}")
    body, references = frames.together(completions, key)
    frames.begin(object_id, key)
    blobs.put(key, body)
    table.write_all(index.rows(object_id, references))
    frames.finish(object_id)
