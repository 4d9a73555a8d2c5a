"""Posting lists: which completions carry a tag, in the order of their minutes.

In: references with their tags, as rows of one recorded object, which a redelivery writes again unchanged. Out: the
references that carry all of some tags, minute by minute, each once.

    P#<dimension>#<shard>/ <minute>#<object id>#<part>   references of a batch with this tag in this minute
"""

from __future__ import annotations

import heapq
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import batched, groupby
from operator import itemgetter
from typing import NamedTuple

import orjson
from backports import zstd

from foundation import table
from foundation.ids import derived_id

SHARDS = 8
SECONDS_A_MINUTE = 60
_REFERENCES_A_ROW = 2000
# A key of the table ends at 2048 bytes.
_LONGEST = 1024


class Reference(NamedTuple):
    """Where one completion lies."""

    created: int
    id: str
    hash: str
    object: str
    offset: int
    length: int

    @property
    def order(self) -> tuple[int, str, str]:
        """Where it stands in a list."""
        return self.created, self.id, self.hash


def shard_of(text: str) -> int:
    return zlib.crc32(text.encode()) % SHARDS


def dimensions(models: Iterable[str], metadata: dict[str, str]) -> list[str]:
    """The posting lists on which a completion stands."""
    return ["all", *(f"m:{model}" for model in models), *tags(metadata)]


def tags(metadata: dict[str, str]) -> list[str]:
    """The dimensions of these tags; one that is too long for a key stands under its digest."""
    dimensions = [f"t:{name}={value}" for name, value in metadata.items()]
    return [one if len(one.encode()) <= _LONGEST else derived_id("t#", one) for one in dimensions]


def rows(object_id: str, tagged: Iterable[tuple[Reference, list[str]]]) -> Iterator[table.Row]:
    """A row for each dimension and minute of one recorded object."""
    postings: dict[tuple[str, int], list[Reference]] = defaultdict(list)
    for reference, on in tagged:
        for dimension in on:
            postings[dimension, reference.created // SECONDS_A_MINUTE].append(reference)
    shard = shard_of(object_id)
    for (dimension, minute), references in postings.items():
        for part, some in enumerate(batched(sorted(references), _REFERENCES_A_ROW, strict=False)):
            yield {
                "pk": f"P#{dimension}#{shard}",
                "sk": f"{minute:010d}#{object_id}#{part}",
                "references": zstd.compress(orjson.dumps([tuple(one) for one in some])),
            }


def walk(
    wanted: list[str], low: int, high: int | None, *, descending: bool
) -> Iterator[dict[tuple[str, str], Reference]]:
    """What stands on every wanted list between two times (seconds, to the minute), minute by minute."""
    return _in_all([_minutes(one, low, high, descending=descending) for one in wanted], descending=descending)


type _Minute = tuple[int, dict[tuple[str, str], Reference]]


def _minutes(dimension: str, low: int, high: int | None, *, descending: bool) -> Iterator[_Minute]:
    """The references of one dimension minute by minute, its shards merged."""
    first = f"{low // SECONDS_A_MINUTE:010d}"
    last = None if high is None else f"{high // SECONDS_A_MINUTE + 1:010d}"
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
