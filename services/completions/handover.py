"""Hand captured completions to the recorder. They are durable when this returns, and readable a moment later.

In: the completions of one pushed batch. Out: a `RecordCompletions` for each part of some hundreds, with the completions
inline if they fit into a message, else with their key under `inbox/` in S3. A single completion is packed just as it
will lie in its object of completions (`frames`).
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import orjson

from completions import frames
from completions.completion import Completion
from foundation import blobs, bus
from foundation.ids import new_id, now_ms

# Base64 in a message of at most 1 MiB: 900 KiB with the envelope.
_INLINE = 640 * 1024
_PART_RECORDS = 400
_PART_BYTES = 2 * 1024 * 1024


def hand_over(batch_id: str, completions: Sequence[Completion]) -> None:
    """Send every part to the recorder's queue. A batch without completions has one empty part."""
    parts = list(_parts([completion.line() + b"\n" for completion in completions])) or [[]]
    for part, lines in enumerate(parts):
        bus.send(_message(batch_id, part, len(parts), lines))


@dataclass
class _RecordCompletions:
    """What `capture_messages.RecordCompletions` reads, written without pydantic, which would slow the cold start."""

    QUEUE: ClassVar[str] = "RECORD_QUEUE_URL"

    event_id: str
    at: int
    correlation_id: str
    batch_id: str
    part: int
    parts: int
    records: str | None = None
    key: str | None = None

    def to_json(self) -> str:
        fields = {name: value for name, value in vars(self).items() if value is not None}
        return orjson.dumps({"type": "RecordCompletions", **fields}).decode()


def _message(batch_id: str, part: int, parts: int, lines: list[bytes]) -> _RecordCompletions:
    packed = frames.frame_of(b"".join(lines))
    message = _RecordCompletions(new_id("evt_"), now_ms(), batch_id, batch_id, part, parts)
    if len(packed) <= _INLINE:
        message.records = base64.b64encode(packed).decode()
    else:
        message.key = f"inbox/{batch_id}/{part:06d}.ndjson.zst"
        blobs.put(message.key, packed)
    return message


def _parts(lines: list[bytes]) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for line in lines:
        if part and (len(part) >= _PART_RECORDS or size + len(line) > _PART_BYTES):
            yield part
            part, size = [], 0
        part.append(line)
        size += len(line)
    if part:
        yield part
