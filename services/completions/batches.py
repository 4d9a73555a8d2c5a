"""Which parts of a pushed batch are readable.

In: the messages whose completions were recorded. Out: the readable parts of a batch, found by its id alone.

    B#<minute>#<shard>   / <object id>           batch id -> its recorded parts, and of how many
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import orjson
from backports import zstd

from completions.postings import SECONDS_A_MINUTE
from foundation import table
from foundation.ids import now, ulid_minute

if TYPE_CHECKING:
    from foundation.capture_messages import RecordCompletions

_SHARDS = 2
_PENDING_MINUTES = 24 * 60


def rows(object_id: str, messages: Iterable[RecordCompletions]) -> Iterator[table.Row]:
    """The rows that say that these messages are readable. Messages with a foreign batch id have none."""
    recorded: dict[tuple[int, int], dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for message in messages:
        place = _place(message.batch_id)
        if place:
            recorded[place][message.batch_id].append((message.part, message.parts))
    for (minute, shard), batches in recorded.items():
        yield {"pk": f"B#{minute}#{shard}", "sk": object_id, "batches": zstd.compress(orjson.dumps(batches))}


def parts(batch_id: str) -> dict[int, int]:
    """The readable parts of a pushed batch, each with the number of parts that the batch has."""
    place = _place(batch_id)
    readable: dict[int, int] = {}
    if place:
        for row in table.query(f"B#{place[0]}#{place[1]}"):
            readable.update(orjson.loads(zstd.decompress(row["batches"])).get(batch_id, []))
    return readable


def may_be_pending(batch_id: str) -> bool:
    """Whether a batch with this id may have been pushed within the last day and may still be with the recorder."""
    place = _place(batch_id)
    return place is not None and abs(now() // SECONDS_A_MINUTE - place[0]) <= _PENDING_MINUTES


def _place(batch_id: str) -> tuple[int, int] | None:
    """The minute and the shard of a batch; None if this is no batch id."""
    minute = ulid_minute(batch_id.rpartition("_")[2])
    return None if minute is None else (minute, zlib.crc32(batch_id.encode()) % _SHARDS)
