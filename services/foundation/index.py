"""The index of captured completions: where each lies, and the posting lists that filters read.

In: a recorded batch (object key, completions with their places). Out: rows that a redelivery writes again
unchanged. A filter gives references in order of (created, id); bodies are read by reference, each a zstd frame
of a batch object in S3.

    C#<id>               / <content hash>        one completion: where it lies
    P#<dimension>#<shard>/ <minute>#<object id>  references of a batch with this tag in this minute
    B#<minute>#<shard>   / <object id>           the pushed batches that an object settled
"""

from __future__ import annotations

import heapq
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched, groupby
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
from backports import zstd
from pydantic import BaseModel, ConfigDict, Field

from foundation import blobs, table
from foundation.completions import Completion
from foundation.ids import now, ulid_minute

SHARDS = 8
_REFERENCES_A_ROW = 2000
_WHOLE_OBJECT_FROM = 8
_READ_AHEAD = 400
_READERS = 8
_SECONDS_A_MINUTE = 60
_PENDING_MINUTES = 24 * 60


class Reference(NamedTuple):
    """Where one completion lies."""

    created: int
    id: str
    hash: str
    object: str
    offset: int
    length: int


class Filter(BaseModel):
    """Which completions: every condition must hold. Times are inclusive seconds UTC."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    created_after: int | None = None
    created_before: int | None = None

    def dimensions(self) -> list[str]:
        tags = [f"t:{name}={value}" for name, value in sorted(self.metadata.items())]
        models = [f"m:{self.model}"] if self.model else []
        return tags + models or ["all"]


def _shard(text: str) -> int:
    return zlib.crc32(text.encode()) % SHARDS


def rows(object_id: str, placed: Sequence[tuple[Completion, Reference]]) -> Iterator[table.Row]:
    """The rows of one recorded object: one for each completion, one for each tag and minute."""
    postings: dict[tuple[str, int], list[Reference]] = defaultdict(list)
    for completion, reference in placed:
        yield {
            "pk": f"C#{completion.id}",
            "sk": reference.hash,
            "created": reference.created,
            "object": reference.object,
            "offset": reference.offset,
            "length": reference.length,
        }
        minute = reference.created // _SECONDS_A_MINUTE
        tags = [f"t:{name}={value}" for name, value in completion.metadata.items()]
        for dimension in ["all", *(f"m:{model}" for model in completion.models), *tags]:
            postings[dimension, minute].append(reference)
    shard = _shard(object_id)
    for (dimension, minute), references in postings.items():
        for part, some in enumerate(batched(sorted(references), _REFERENCES_A_ROW, strict=False)):
            yield {
                "pk": f"P#{dimension}#{shard}",
                "sk": f"{minute:010d}#{object_id}#{part}",
                "references": zstd.compress(orjson.dumps([tuple(one) for one in some])),
            }


def batch_row(object_id: str, minute: int, shard: int, batches: dict[str, Any]) -> table.Row:
    """The row that says which parts of which pushed batches are readable."""
    return {"pk": f"B#{minute}#{shard}", "sk": object_id, "batches": orjson.dumps(batches).decode()}


def batch_place(batch_id: str) -> tuple[int, int] | None:
    """Minute and shard of a pushed batch; None if this is no batch id."""
    minute = ulid_minute(batch_id.rpartition("_")[2])
    return None if minute is None else (minute, _shard(batch_id))


def may_be_pending(batch_id: str) -> bool:
    """Whether this is the id of a batch pushed so lately that its recorder may still be at work."""
    place = batch_place(batch_id)
    return place is not None and abs(now() // _SECONDS_A_MINUTE - place[0]) <= _PENDING_MINUTES


def batch_parts(batch_id: str) -> dict[int, int]:
    """The parts of a pushed batch that are readable: part -> number of parts in all."""
    place = batch_place(batch_id)
    found: dict[int, int] = {}
    if place:
        for row in table.query(f"B#{place[0]}#{place[1]}"):
            found.update(orjson.loads(row["batches"]).get(batch_id, []))
    return found


def select(wanted: Filter, *, after: Reference | None = None, descending: bool = False) -> Iterator[Reference]:
    """The references of a filter in order of (created, id), each once, lazily."""
    low = max(wanted.created_after or 0, after.created if after and not descending else 0)
    highs = [wanted.created_before, after.created if after and descending else None]
    high = min((bound for bound in highs if bound is not None), default=None)
    streams = [_minutes(dimension, low, high, descending=descending) for dimension in wanted.dimensions()]
    for references in _in_all(streams, descending=descending):
        for reference in sorted(references.values(), key=_order, reverse=descending):
            if reference.created < low or (high is not None and reference.created > high):
                continue
            if after and (_order(reference) <= _order(after)) != descending:
                continue
            if after and _order(reference) == _order(after):
                continue
            yield reference


def _order(reference: Reference) -> tuple[int, str, str]:
    return reference.created, reference.id, reference.hash


type _Minute = tuple[int, dict[tuple[str, str], Reference]]


def _minutes(dimension: str, low: int, high: int | None, *, descending: bool) -> Iterator[_Minute]:
    """The references of one dimension minute by minute, its shards merged."""
    first = f"{low // _SECONDS_A_MINUTE:010d}"
    last = None if high is None else f"{high // _SECONDS_A_MINUTE + 1:010d}"
    shards = [
        table.query(f"P#{dimension}#{shard}", after=first, before=last, descending=descending)
        for shard in range(SHARDS)
    ]
    merged = heapq.merge(*shards, key=itemgetter("sk"), reverse=descending)
    for minute, posted in groupby(merged, key=lambda row: int(row["sk"].partition("#")[0])):
        references: dict[tuple[str, str], Reference] = {}
        for row in posted:
            for values in orjson.loads(zstd.decompress(row["references"])):
                reference = Reference(*values)
                references.setdefault((reference.id, reference.hash), reference)
        yield minute, references


def _in_all(streams: list[Iterator[_Minute]], *, descending: bool) -> Iterator[dict[tuple[str, str], Reference]]:
    """What every stream has, minute by minute."""
    sign = -1 if descending else 1
    heads = [next(stream, None) for stream in streams]
    while all(heads):
        present = [head for head in heads if head]
        furthest = max(sign * minute for minute, _ in present)
        if all(sign * minute == furthest for minute, _ in present):
            common = set.intersection(*(set(references) for _, references in present))
            yield {key: present[0][1][key] for key in common}
            heads = [next(stream, None) for stream in streams]
        else:
            heads = [
                head if head and sign * head[0] == furthest else next(stream, None)
                for head, stream in zip(heads, streams, strict=True)
            ]


def find(completion_id: str) -> Reference | None:
    """The reference of one completion by its id; the first recorded where other bytes hold the same id."""
    found = list(table.query(f"C#{completion_id}"))
    if not found:
        return None
    row = min(found, key=lambda row: (row["created"], row["sk"]))
    return Reference(row["created"], completion_id, row["sk"], row["object"], row["offset"], row["length"])


def known_hashes(completion_ids: Sequence[str]) -> dict[str, set[str]]:
    """The content hashes already recorded under each of these ids."""
    with ThreadPoolExecutor(_READERS) as pool:
        found = pool.map(lambda one: {row["sk"] for row in table.query(f"C#{one}")}, completion_ids)
    return dict(zip(completion_ids, found, strict=True))


def read(references: Iterable[Reference]) -> Iterator[Completion]:
    """The completions of these references, in their order, read by some hundreds."""
    with ThreadPoolExecutor(_READERS) as pool:
        for some in batched(references, _READ_AHEAD, strict=False):
            by_object: dict[str, list[Reference]] = defaultdict(list)
            for reference in some:
                by_object[reference.object].append(reference)
            bodies: dict[Reference, Completion] = {}
            for found in pool.map(_read_object, by_object.items()):
                bodies.update(found)
            yield from (bodies[reference] for reference in some)


def _read_object(wanted: tuple[str, list[Reference]]) -> dict[Reference, Completion]:
    key, references = wanted
    if len(references) >= _WHOLE_OBJECT_FROM:
        body = blobs.get(key)
        frames = {one: body[one.offset : one.offset + one.length] for one in references}
    else:
        frames = {one: blobs.get(key, offset=one.offset, length=one.length) for one in references}
    return {one: Completion.model_validate_json(zstd.decompress(frame)) for one, frame in frames.items()}
