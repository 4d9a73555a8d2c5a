"""Pushed batches: which of their parts are readable.

In: the parts that a recorded object settled. Out: how a batch fares, by its id alone.

    B#<minute>#<shard>   / <object id>           batch id -> its settled parts, of how many
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
    from foundation.events import RecordCompletions

_SHARDS = 2
_PENDING_MINUTES = 24 * 60


def rows(object_id: str, messages: Iterable[RecordCompletions]) -> Iterator[table.Row]:
    """The rows that say that these messages are readable; a batch id that is none of ours has no place."""
    settled: dict[tuple[int, int], dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for message in messages:
        place = _place(message.batch_id)
        if place:
            settled[place][message.batch_id].append((message.part, message.parts))
    for (minute, shard), batches in settled.items():
        yield {"pk": f"B#{minute}#{shard}", "sk": object_id, "batches": zstd.compress(orjson.dumps(batches))}


def parts(batch_id: str) -> dict[int, int]:
    """The parts of a pushed batch that are readable: part -> number of parts in all."""
    place = _place(batch_id)
    found: dict[int, int] = {}
    if place:
        for row in table.query(f"B#{place[0]}#{place[1]}"):
            found.update(orjson.loads(zstd.decompress(row["batches"])).get(batch_id, []))
    return found


def may_be_pending(batch_id: str) -> bool:
    """Whether this is the id of a batch pushed so lately that its recorder may still be at work."""
    place = _place(batch_id)
    return place is not None and abs(now() // SECONDS_A_MINUTE - place[0]) <= _PENDING_MINUTES


def _place(batch_id: str) -> tuple[int, int] | None:
    """Minute and shard of a batch; None if this is no batch id."""
    minute = ulid_minute(batch_id.rpartition("_")[2])
    return None if minute is None else (minute, zlib.crc32(batch_id.encode()) % _SHARDS)
