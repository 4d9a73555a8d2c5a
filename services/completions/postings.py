"""Posting lists: which completions have a tag, in the order of their minutes.

In: the references of one recorded object with their tags, as rows that a redelivery writes again unchanged. Out: the
references that have all of some tags, minute by minute, each once. The list of all completions holds the references;
the list of a tag holds only their positions in rows of that list.

    P#all#<shard>/ <minute>#<object id>#<part>           the references of an object in this minute
    P#<dimension>#<shard>/ <minute>#<object id>#<part>   the places in that row of those with this tag
"""

from __future__ import annotations

import heapq
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
from backports import zstd

from completions.completion import Completion
from foundation import table
from foundation.ids import derived_id

ALL = "all"
SHARDS = 8
SECONDS_A_MINUTE = 60
_REFERENCES_A_ROW = 2000
# A row ends at 400 KB, a key of the table at 2048 bytes.
_BYTES_A_ROW = 300 * 1024
_BYTES_A_REFERENCE = 100
_LONGEST = 1024
_MOST_BYTES_A_LETTER = 4
_MOST_MINUTES_AHEAD = 64


class Reference(NamedTuple):
    """Where one completion lies, and what filters and the usage need to know of it.

    `metadata` is None if it is unknown here and the body's holds. `cached_tokens` is a part of `prompt_tokens`.
    """

    created: int
    id: str
    hash: str
    object: str
    offset: int
    length: int
    models: tuple[str, ...] = ()
    metadata: dict[str, str] | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    latency_ms: int | None = None
    finish_reason: str | None = None
    has_tools: bool = False
    failed: bool = False
    origin: str | None = None

    @classmethod
    def of(cls, completion: Completion, *, key: str, offset: int, length: int) -> Reference:
        """The reference of a completion that lies at these bytes of an object."""
        asked, answered = completion.request.get("model"), completion.model
        return cls(
            completion.created,
            completion.id,
            completion.content_hash,
            key,
            offset,
            length,
            (answered,) if asked is None or asked == answered else (answered, asked),
            completion.metadata,
            *completion.tokens,
            completion.latency_ms,
            completion.finish_reason,
            completion.has_tools,
            completion.failed,
            completion.origin,
        )

    @property
    def order(self) -> tuple[int, str, str]:
        """Its place in a list."""
        return self.created, self.id, self.hash

    @property
    def minute(self) -> int:
        return self.created // SECONDS_A_MINUTE

    @property
    def model(self) -> str:
        """The model that answered."""
        return self.models[0] if self.models else ""

    @property
    def tokens(self) -> int | None:
        """The tokens of prompt and answer together."""
        if self.prompt_tokens is None and self.completion_tokens is None:
            return None
        return (self.prompt_tokens or 0) + (self.completion_tokens or 0)

    def dimensions(self) -> list[str]:
        """The lists that name it, besides the list of all."""
        return [*(f"m:{model}" for model in self.models), *tags(self.metadata or {})]


_ORDER = itemgetter(*map(Reference._fields.index, ("created", "id", "hash")))


def shard_of(text: str) -> int:
    return zlib.crc32(text.encode()) % SHARDS


def tags(metadata: dict[str, str]) -> list[str]:
    """The names of the lists of these tags. A tag that is too long for a key of the table is named by its digest."""
    dimensions = [f"t:{name}={value}" for name, value in metadata.items()]
    return [name if _fits_a_key(name) else derived_id("t#", name) for name in dimensions]


def _fits_a_key(dimension: str) -> bool:
    return len(dimension) * _MOST_BYTES_A_LETTER <= _LONGEST or len(dimension.encode()) <= _LONGEST


def key_of(dimension: str, shard: str | int) -> str:
    return f"P#{dimension}#{shard}"


def rows(object_id: str, references: Iterable[Reference]) -> Iterator[table.Row]:
    """The rows of one object: for each minute one with its references, and one for each tag with their positions."""
    shard = shard_of(object_id)
    by_minute: dict[int, list[Reference]] = defaultdict(list)
    for reference in references:
        by_minute[reference.minute].append(reference)
    for minute, all_of_it in by_minute.items():
        for part, some in enumerate(_parts(sorted(all_of_it, key=_ORDER))):
            sk = f"{minute:010d}#{object_id}#{part}"
            yield {"pk": key_of(ALL, shard), "sk": sk, **packed(some)}
            places: dict[str, list[int]] = defaultdict(list)
            for place, reference in enumerate(some):
                for dimension in reference.dimensions():
                    places[dimension].append(place)
            for dimension, at in places.items():
                yield {"pk": key_of(dimension, shard), "sk": sk, "at": packed_places(at)}


def _parts(references: list[Reference]) -> Iterator[list[Reference]]:
    part: list[Reference] = []
    size = 0
    for reference in references:
        own = _size(reference)
        if part and (len(part) >= _REFERENCES_A_ROW or size + own > _BYTES_A_ROW):
            yield part
            part, size = [], 0
        part.append(reference)
        size += own
    if part:
        yield part


def _size(reference: Reference) -> int:
    """About how many bytes a reference takes before it is compressed: its texts, and its numbers at their longest."""
    texts = (reference.id, reference.models, reference.metadata, reference.finish_reason, reference.origin)
    return _BYTES_A_REFERENCE + len(orjson.dumps(texts))


def packed(references: list[Reference]) -> table.Row:
    """The attributes that hold references of one object, column by column: the values of a column compress well."""
    columns = list(zip(*references, strict=True))
    columns[Reference._fields.index("object")] = ("",) * len(references)
    return {"object": references[0].object, "references": zstd.compress(orjson.dumps(columns))}


def unpacked(row: table.Row) -> list[Reference]:
    """The inverse of `packed`."""
    columns: list[list[Any]] = orjson.loads(zstd.decompress(row["references"]))
    names = Reference._fields
    columns[names.index("object")] = [row["object"]] * len(columns[0])
    columns[names.index("models")] = [tuple(models) for models in columns[names.index("models")]]
    return [Reference(*values) for values in zip(*columns, strict=True)]


def packed_places(places: list[int]) -> bytes:
    return zstd.compress(orjson.dumps(places))


def unpacked_places(row: table.Row) -> list[int]:
    """The inverse of `packed_places`, of a row."""
    places: list[int] = orjson.loads(zstd.decompress(row["at"]))
    return places


def walk(
    wanted: list[str], low: int, high: int | None, *, descending: bool = False
) -> Iterator[tuple[int, list[Reference]]]:
    """The references that every wanted list names between two times in seconds: minute by minute, each once.

    The times count to the minute: the first and the last minute are given whole.
    """
    if wanted == [ALL]:
        for minute, held in _minutes(ALL, low, high, descending=descending):
            yield minute, once(reference for row in held for reference in unpacked(row))
        return
    streams = [_places(dimension, low, high, descending=descending) for dimension in wanted]
    for some in _ahead(_in_all(streams, descending=descending)):
        rows_of = table.get_all((key_of(ALL, shard), sk) for _, found in some for shard, sk in found)
        for minute, found in some:
            # A row of a tag whose row of the list of all is lost names nothing.
            present = {at: rows_of.get((key_of(ALL, at[0]), at[1])) for at in found}
            references = {at: unpacked(row) for at, row in present.items() if row}
            yield minute, once(of[place] for at, of in references.items() for place in sorted(found[at]))


def of_minute(minute: int) -> Iterator[tuple[table.Row, list[Reference]]]:
    """Every row of the list of all in one minute, with its references."""
    for shard in range(SHARDS):
        for row in table.query(key_of(ALL, shard), after=f"{minute:010d}", before=f"{minute + 1:010d}"):
            yield row, unpacked(row)


type _Place = tuple[str, str]
"""Shard and sort key of a row of the list of all."""

type _Minute = tuple[int, dict[_Place, set[int]]]


def _minutes(
    dimension: str, low: int, high: int | None, *, descending: bool
) -> Iterator[tuple[int, Iterator[table.Row]]]:
    """The rows of one dimension minute by minute, its shards merged."""
    first = f"{low // SECONDS_A_MINUTE:010d}"
    last = None if high is None else f"{high // SECONDS_A_MINUTE + 1:010d}"
    shards = [
        table.query(key_of(dimension, shard), after=first, before=last, descending=descending)
        for shard in range(SHARDS)
    ]
    merged = heapq.merge(*shards, key=itemgetter("sk"), reverse=descending)
    return groupby(merged, key=lambda row: int(row["sk"].partition("#")[0]))


def _places(dimension: str, low: int, high: int | None, *, descending: bool) -> Iterator[_Minute]:
    for minute, found in _minutes(dimension, low, high, descending=descending):
        yield minute, {(row["pk"].rpartition("#")[2], row["sk"]): set(unpacked_places(row)) for row in found}


def _in_all(streams: list[Iterator[_Minute]], *, descending: bool) -> Iterator[_Minute]:
    """The places that every stream has, minute by minute."""
    sign = -1 if descending else 1
    heads = [next(stream, None) for stream in streams]
    while all(heads):
        present = [head for head in heads if head]
        furthest = max(sign * minute for minute, _ in present)
        if all(sign * minute == furthest for minute, _ in present):
            common = _common([places for _, places in present])
            if common:
                yield sign * furthest, common
            heads = [next(stream, None) for stream in streams]
        else:
            heads = [
                head if head and sign * head[0] == furthest else next(stream, None)
                for head, stream in zip(heads, streams, strict=True)
            ]


def _common(found: list[dict[_Place, set[int]]]) -> dict[_Place, set[int]]:
    shared = set.intersection(*(set(places) for places in found))
    met = {at: set.intersection(*(places[at] for places in found)) for at in shared}
    return {at: places for at, places in met.items() if places}


def _ahead(minutes: Iterator[_Minute]) -> Iterator[list[_Minute]]:
    """Several minutes at once, so that one call reads their rows; few at first, since a page may need no more."""
    size = 4
    while some := list(islice(minutes, size)):
        yield some
        size = min(2 * size, _MOST_MINUTES_AHEAD)


def once(references: Iterable[Reference]) -> list[Reference]:
    """The references in order, without those that are the same completion recorded once more."""
    by_content: dict[tuple[str, str], Reference] = {}
    for reference in references:
        by_content.setdefault((reference.id, reference.hash), reference)
    return sorted(by_content.values(), key=lambda reference: reference.order)
