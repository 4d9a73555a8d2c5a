"""The index of a completed run's rows: where each output item lies and how it went, without what was said.

In: a completed run. Out: an `IndexedRow` for each row, in order. The index is written once, beside the run's items, so
that a page of ten thousand rows reads one object and then only the items that it shows.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, NamedTuple

import orjson

from evals.counts import graded_chunks
from evals.outcomes import outcome_of, row_id, unused_name
from evals.output_items import items_key
from evals.run import Run
from evals.slicing import every_tag
from foundation import blobs

# Raised with every change of what an index holds, so that stored ones are made anew.
_VERSION = 1
_READERS = 8
_MOST_TAGS = 40


class IndexedRow(NamedTuple):
    """A row: its name, by which rows of runs pair, and where its output item lies.

    `content` is a hash of the item where the name is only a number. `results` has by criterion whether it passed, and
    its score or None.
    """

    name: str
    content: str | None
    number: int
    chunk: int
    offset: int
    length: int
    passed: bool
    errored: bool
    results: Mapping[str, tuple[bool, float | None]]
    tags: Mapping[str, str]


def indexed_rows(run: Run, *, each_chunk: Callable[[], None] = lambda: None) -> list[IndexedRow]:
    """The index of a completed run, made where it is not there yet. An error of `each_chunk` stops the making."""
    key = f"runs/{run.id}/row_index/{_VERSION}.json"
    stored = blobs.find(key)
    if stored is not None:
        return [IndexedRow(*fields) for fields in orjson.loads(stored)]
    rows = list(_made(run.id, each_chunk))
    blobs.put(key, orjson.dumps([list(row) for row in rows]), content_type="application/json")
    return rows


def item_at(run_id: str, row: IndexedRow) -> dict[str, Any]:
    """The output item of a row: only its own bytes are read."""
    item: dict[str, Any] = orjson.loads(blobs.get(items_key(run_id, row.chunk), offset=row.offset, length=row.length))
    return item


def _made(run_id: str, each_chunk: Callable[[], None]) -> Iterator[IndexedRow]:
    taken: set[str] = set()
    times: Counter[str] = Counter()
    chunks = [chunk.chunk for chunk in graded_chunks(run_id)]
    with ThreadPoolExecutor(_READERS) as readers:
        try:
            for rows in readers.map(lambda chunk: list(_of_chunk(run_id, chunk)), chunks):
                each_chunk()
                for row in rows:
                    name = unused_name(row.name, taken, times)
                    taken.add(name)
                    yield row._replace(name=name)
        finally:
            readers.shutdown(cancel_futures=True)


def _of_chunk(run_id: str, chunk: int) -> Iterator[IndexedRow]:
    offset = 0
    for line in blobs.get(items_key(run_id, chunk)).splitlines(keepends=True):
        yield _indexed(orjson.loads(line), chunk, offset, len(line))
        offset += len(line)


def _indexed(item: dict[str, Any], chunk: int, offset: int, length: int) -> IndexedRow:
    outcome = outcome_of(item, every_tag)
    number, row = item["datasource_item_id"], item["datasource_item"]
    return IndexedRow(
        name=row_id(row, number),
        content=None if row.get("completion_id") else _hash(row),
        number=number,
        chunk=chunk,
        offset=offset,
        length=length,
        passed=outcome.passed,
        errored=outcome.errored,
        results={name: (result.passed, result.score) for name, result in outcome.results.items()},
        tags=dict(islice(outcome.tags.items(), _MOST_TAGS)),
    )


def _hash(row: dict[str, Any]) -> str:
    return hashlib.blake2b(orjson.dumps(row, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()
