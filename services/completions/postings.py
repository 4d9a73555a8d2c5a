"""Posting lists: which completions have a tag, in the order of their minutes.

In: the references of one recorded object with their tags, as rows that a redelivery writes again unchanged. Out: the
references that have all of some tags, minute by minute, each once. The list of all completions holds the references;
the list of a tag holds only their positions in rows of that list.

    P#all#<shard>/ <minute>#<object id>#<part>           the references of an object in this minute
    P#<dimension>#<shard>/ <minute>#<object id>#<part>   the places in that row of those with this tag
    LATEPUSHES   / <minute>#<object id>                  an object with completions that were made long before
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
from completions.dimensions import alias_label, alias_lists, tags
from completions.first_asked import FirstAsked
from foundation import table
from foundation.ids import now

ALL = "all"
SHARDS = 8
SECONDS_A_MINUTE = 60
LATE = "LATEPUSHES"
"""The partition of objects whose completions were made long before; their sort keys are `<first minute>#<object>`."""
# Half of the least time that a retention policy keeps.
_LATE_MINUTES = 12 * 60
_REFERENCES_A_ROW = 2000
# A row ends at 400 KB, a key of the table at 2048 bytes.
_BYTES_A_ROW = 300 * 1024
_BYTES_A_REFERENCE = 100
_MOST_MINUTES_AHEAD = 64


class Reference(NamedTuple):
    """Where one completion lies, and its fields that filters and usage statistics read.

    `metadata` is None if only the body has it. `cached_tokens` are a part of `prompt_tokens`.
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
    alias: str | None = None
    """The alias and its version, `quick-reply@3`."""
    first_asked: FirstAsked | None = None
    """The call of a cascade whose answer was not kept, and which costs besides."""

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
            alias_label(completion.alias),
            FirstAsked.of(completion.alias),
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
        """The names of the posting lists that the completion is in, besides the list of all."""
        by_alias = alias_lists(self.alias) if self.alias else []
        return [*(f"m:{model}" for model in self.models), *tags(self.metadata or {}), *by_alias]


_ORDER = itemgetter(*map(Reference._fields.index, ("created", "id", "hash")))
_OF_TEXT = ("id", "models", "metadata", "finish_reason", "origin", "alias", "first_asked")
_TEXTS = itemgetter(*map(Reference._fields.index, _OF_TEXT))


def shard_of(text: str) -> int:
    return zlib.crc32(text.encode()) % SHARDS


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
    oldest = min(by_minute, default=None)
    if oldest is not None and oldest < now() // SECONDS_A_MINUTE - _LATE_MINUTES:
        # The sweep of retention policies has been there: it begins at this minute next time.
        yield {"pk": LATE, "sk": f"{oldest:010d}#{object_id}", "at": now()}


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
    return _BYTES_A_REFERENCE + len(orjson.dumps(_TEXTS(reference), default=tuple))


def packed(references: list[Reference]) -> table.Row:
    """The attributes that hold references of one object, column by column: the values of a column compress well."""
    columns = list(zip(*references, strict=True))
    columns[Reference._fields.index("object")] = ("",) * len(references)
    return {"object": references[0].object, "references": zstd.compress(orjson.dumps(columns, default=tuple))}


def unpacked(row: table.Row) -> list[Reference]:
    """The inverse of `packed`."""
    columns: list[list[Any]] = orjson.loads(zstd.decompress(row["references"]))
    names = Reference._fields
    columns[names.index("object")] = [row["object"]] * len(columns[0])
    columns[names.index("models")] = list(map(tuple, columns[names.index("models")]))
    for column in columns[names.index("first_asked") :]:  # Rows of before there were cascades end with the alias.
        column[:] = [FirstAsked(*one) if one else None for one in column]
    missing = [[Reference._field_defaults[name]] * len(columns[0]) for name in names[len(columns) :]]
    return list(map(Reference._make, zip(*columns, *missing, strict=True)))


def packed_places(places: list[int]) -> bytes:
    return zstd.compress(orjson.dumps(places))


def unpacked_places(row: table.Row) -> list[int]:
    """The inverse of `packed_places`, of a row."""
    places: list[int] = orjson.loads(zstd.decompress(row["at"]))
    return places


def walk(
    wanted: list[str], low: int, high: int | None, *, descending: bool = False
) -> Iterator[tuple[int, list[Reference]]]:
    """The references that all `wanted` lists name between two times in seconds, minute by minute, each once.

    Seconds are ignored: the minutes of both times are given whole.
    """
    if wanted == [ALL]:
        for minute, rows_of_minute in _minutes(ALL, low, high, descending=descending):
            yield minute, once(reference for row in rows_of_minute for reference in unpacked(row))
        return
    streams = [_places(dimension, low, high, descending=descending) for dimension in wanted]
    for minutes in _ahead(_in_all(streams, descending=descending)):
        rows = table.get_all((key_of(ALL, shard), sk) for _, positions in minutes for shard, sk in positions)
        for minute, positions in minutes:
            # If a row of the list of all is lost, what tags name in it is left out.
            present = {place: rows.get((key_of(ALL, place[0]), place[1])) for place in positions}
            references = {place: unpacked(row) for place, row in present.items() if row}
            yield minute, once(of[at] for place, of in references.items() for at in sorted(positions[place]))


def of_minute(minute: int) -> Iterator[tuple[table.Row, list[Reference]]]:
    """Every row of the list of all in one minute, with its references."""
    for shard in range(SHARDS):
        for row in table.query(key_of(ALL, shard), after=f"{minute:010d}", before=f"{minute + 1:010d}"):
            yield row, unpacked(row)


type _Place = tuple[str, str]
"""Shard and sort key of a row of the list of all."""

type _Minute = tuple[int, dict[_Place, set[int]]]
"""A minute, and the positions of references in its rows."""


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
    for minute, rows in _minutes(dimension, low, high, descending=descending):
        yield minute, {(row["pk"].rpartition("#")[2], row["sk"]): set(unpacked_places(row)) for row in rows}


def _in_all(streams: list[Iterator[_Minute]], *, descending: bool) -> Iterator[_Minute]:
    """The positions that all streams have in common, minute by minute."""
    sign = -1 if descending else 1
    heads = [next(stream, None) for stream in streams]
    while all(heads):
        present = [head for head in heads if head]
        furthest = max(sign * minute for minute, _ in present)
        if all(sign * minute == furthest for minute, _ in present):
            common = _common([positions for _, positions in present])
            if common:
                yield sign * furthest, common
            heads = [next(stream, None) for stream in streams]
        else:
            heads = [
                head if head and sign * head[0] == furthest else next(stream, None)
                for head, stream in zip(heads, streams, strict=True)
            ]


def _common(lists: list[dict[_Place, set[int]]]) -> dict[_Place, set[int]]:
    shared = set.intersection(*(set(positions) for positions in lists))
    common = {place: set.intersection(*(positions[place] for positions in lists)) for place in shared}
    return {place: positions for place, positions in common.items() if positions}


def _ahead(minutes: Iterator[_Minute]) -> Iterator[list[_Minute]]:
    """Groups of minutes, whose rows one call can read. The first groups are small: a page may need no more."""
    size = 4
    while group := list(islice(minutes, size)):
        yield group
        size = min(2 * size, _MOST_MINUTES_AHEAD)


def once(references: Iterable[Reference]) -> list[Reference]:
    """The references in order, each completion once, even if it was recorded several times."""
    by_content: dict[tuple[str, str], Reference] = {}
    for reference in references:
        by_content.setdefault((reference.id, reference.hash), reference)
    return sorted(by_content.values(), key=_ORDER)
