"""The index of a completed run's rows: where each output item lies and how it went, without what was said.

In: a completed run. Out: a `RowIndex`, column by column, so that a page of ten thousand rows is chosen in milliseconds
and reads only the items that it shows. The index is written once, beside the run's items.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import orjson

from evals.counts import graded_chunks
from evals.outcomes import RowOutcome, outcome_of, row_id, unused_name
from evals.output_items import items_key
from evals.run import Run
from evals.slicing import every_tag
from foundation import blobs

PASSED, FAILED, ERRORED = "p", "f", "e"
"""How a row, or one criterion of it, went: a letter in a column. A criterion that did not grade the row is errored."""
# Raised with every change of what an index holds, so that stored ones are made anew.
_VERSION = 2
_READERS = 8
_MOST_TAGS = 40
_NONE = -1


@dataclass
class RowIndex:
    """The rows of a run, in order. Each column has an entry, or a letter, for every row.

    `names` pair rows of different runs; `contents` has a hash of the item where the name is only a number. `lengths`
    are the bytes of the output items, and `chunks` says at which row each chunk begins. `scores` are by criterion, None
    where there is none. `tags` has by key the values that occur, and for each row the place of its own among them.
    """

    names: list[str] = field(default_factory=list)
    contents: list[str | None] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    chunks: list[tuple[int, int]] = field(default_factory=list)
    states: str = ""
    results: dict[str, str] = field(default_factory=dict)
    scores: dict[str, list[float | None]] = field(default_factory=dict)
    tags: dict[str, tuple[list[str], list[int]]] = field(default_factory=dict)

    def went(self, criterion: str | None) -> str:
        """How each row went: as a whole, or by one criterion."""
        return self.states if criterion is None else self.results.get(criterion, ERRORED * len(self.names))

    def rows_of(self, completion_id: str) -> Iterator[int]:
        """The rows that a completion is, in order: the second of its name is called `<name>#2`."""
        name, times = completion_id, 1
        while name in self.names:
            yield self.names.index(name)
            times += 1
            name = f"{completion_id}#{times}"

    def having(self, key: str, value: str) -> set[int]:
        """The rows that have this value under a key."""
        values, places = self.tags.get(key, ([], []))
        wanted = values.index(value) if value in values else None
        return {row for row, place in enumerate(places) if place == wanted}

    def tags_of(self, row: int) -> dict[str, str]:
        return {key: values[places[row]] for key, (values, places) in self.tags.items() if places[row] != _NONE}

    def item_at(self, run_id: str, row: int) -> dict[str, Any]:
        """The output item of a row: only its own bytes are read."""
        chunk, first = next(place for place in reversed(self.chunks) if place[1] <= row)
        offset = sum(self.lengths[first:row])
        item: dict[str, Any] = orjson.loads(
            blobs.get(items_key(run_id, chunk), offset=offset, length=self.lengths[row])
        )
        return item


def row_index(run: Run, *, each_chunk: Callable[[], None] = lambda: None) -> RowIndex:
    """The index of a completed run, made where it is not there yet. An error of `each_chunk` stops the making."""
    key = f"runs/{run.id}/row_index/{_VERSION}.json"
    stored = blobs.find(key)
    if stored is not None:
        return RowIndex(**orjson.loads(stored))
    index = _made(run.id, each_chunk)
    blobs.put(key, orjson.dumps(asdict(index)), content_type="application/json")
    return index


class _Row(NamedTuple):
    name: str
    outcome: RowOutcome
    content: str | None
    length: int


def _made(run_id: str, each_chunk: Callable[[], None]) -> RowIndex:
    rows: list[_Row] = []
    index = RowIndex()
    taken: set[str] = set()
    times: Counter[str] = Counter()
    chunks = [chunk.chunk for chunk in graded_chunks(run_id)]
    with ThreadPoolExecutor(_READERS) as readers:
        try:
            for chunk, members in zip(
                chunks, readers.map(lambda number: list(_of_chunk(run_id, number)), chunks), strict=True
            ):
                each_chunk()
                index.chunks.append((chunk, len(rows)))
                for row in members:
                    name = unused_name(row.name, taken, times)
                    taken.add(name)
                    rows.append(row._replace(name=name))
        finally:
            readers.shutdown(cancel_futures=True)
    _fill(index, rows)
    return index


def _of_chunk(run_id: str, chunk: int) -> Iterator[_Row]:
    for line in blobs.get(items_key(run_id, chunk)).splitlines(keepends=True):
        item = orjson.loads(line)
        row = item["datasource_item"]
        content = None if row.get("completion_id") else _hash(row)
        yield _Row(row_id(row, item["datasource_item_id"]), outcome_of(item, every_tag), content, len(line))


def _fill(index: RowIndex, rows: list[_Row]) -> None:
    index.names = [row.name for row in rows]
    index.contents = [row.content for row in rows]
    index.lengths = [row.length for row in rows]
    outcomes = [row.outcome for row in rows]
    index.states = "".join(_letter(outcome, passed=outcome.passed) for outcome in outcomes)
    for criterion in dict.fromkeys(name for outcome in outcomes for name in outcome.results):
        results = [outcome.results.get(criterion) for outcome in outcomes]
        index.results[criterion] = "".join(
            ERRORED if result is None else _letter(outcome, passed=result.passed)
            for outcome, result in zip(outcomes, results, strict=True)
        )
        index.scores[criterion] = [None if result is None else result.score for result in results]
    keys = dict.fromkeys(key for outcome in outcomes for key in outcome.tags)
    for key in islice(keys, _MOST_TAGS):
        values = list(dict.fromkeys(outcome.tags[key] for outcome in outcomes if key in outcome.tags))
        places = {value: place for place, value in enumerate(values)}
        index.tags[key] = (values, [places.get(outcome.tags.get(key, ""), _NONE) for outcome in outcomes])


def _letter(outcome: RowOutcome, *, passed: bool) -> str:
    return ERRORED if outcome.errored else PASSED if passed else FAILED


def _hash(row: dict[str, Any]) -> str:
    return hashlib.blake2b(orjson.dumps(row, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()
