"""Hand captured completions to the recorder: durable when this returns, readable a moment later.

In: completions of one pushed batch. Out: a `RecordCompletions` for each part of some hundreds, inline where it fits a
message, else by a key under `inbox/`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any

from backports import zstd

from foundation import blobs, queues
from foundation.completions import Completion
from foundation.events import RecordCompletions
from foundation.settings import settings

# Base64 in a message of at most 1 MiB: 900 KiB with the envelope.
_INLINE = 640 * 1024
_PART_RECORDS = 400
# What is sent lives for seconds.
_FAST = 1
_PART_BYTES = 2 * 1024 * 1024


def hand_over(batch_id: str, completions: Sequence[Completion]) -> None:
    """Send every part to the recorder's queue; a batch without any completion has one part too."""
    parts = list(_parts([completion.line() for completion in completions])) or [[]]
    for part, lines in enumerate(parts):
        queues.send(settings().RECORD_QUEUE_URL, _message(batch_id, part, len(parts), lines))


def _message(batch_id: str, part: int, parts: int, lines: list[bytes]) -> RecordCompletions:
    about: dict[str, Any] = {"batch_id": batch_id, "part": part, "parts": parts, "correlation_id": batch_id}
    packed = zstd.compress(b"\n".join(lines), _FAST)
    if len(packed) <= _INLINE:
        return RecordCompletions(**about, records=base64.b64encode(packed))
    key = f"inbox/{batch_id}/{part:06d}.ndjson.zst"
    blobs.put(key, packed)
    return RecordCompletions(**about, key=key)


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
