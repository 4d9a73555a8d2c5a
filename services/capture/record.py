"""Write captured completions: one batch object in S3, then the rows that make it readable.

In: `RecordCompletions` messages. The object is named after its message, so that a redelivery writes the same bytes to
the same key and the same rows again. The batch counts as recorded by its last row.
"""

from __future__ import annotations

from datetime import UTC, datetime

from backports import zstd

from foundation import blobs, index, table
from foundation.completions import Completion
from foundation.events import RecordCompletions
from foundation.ids import derived_id
from foundation.postings import Reference

_LEVEL = 3


def record(message: RecordCompletions) -> None:
    """Write the completions of one message and mark its part as recorded."""
    packed = message.records if message.records is not None else blobs.get(message.key or "")
    lines = zstd.decompress(packed).splitlines()
    completions = [Completion.model_validate_json(line) for line in lines]
    object_id = derived_id("", message.batch_id, message.part)
    placed = _store(object_id, completions, at_ms=message.at)
    table.write_all(index.rows(object_id, placed))
    place = index.batch_place(message.batch_id)
    if place:
        batches = {message.batch_id: [(message.part, message.parts)]}
        table.put(index.batch_row(object_id, *place, batches))


def _store(object_id: str, completions: list[Completion], *, at_ms: int) -> list[tuple[Completion, Reference]]:
    """Each completion is a zstd frame of its own: readable alone by its range, and all as one stream."""
    day = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y/%m/%d")
    key = f"completions/{day}/{object_id}.ndjson.zst"
    placed: list[tuple[Completion, Reference]] = []
    body = bytearray()
    for completion in completions:
        frame = zstd.compress(completion.line() + b"\n", _LEVEL)
        reference = Reference(completion.created, completion.id, completion.content_hash, key, len(body), len(frame))
        placed.append((completion, reference))
        body += frame
    blobs.put(key, bytes(body))
    return placed
