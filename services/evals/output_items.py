"""The output items of a run: one for each row, in one object of S3 for each graded chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from evals.counts import chunks_from, is_graded
from evals.run import Run
from foundation import blobs
from foundation.errors import NotFound
from foundation.ids import derived_id, place_of

ROWS_A_CHUNK = 100
_ITEM = "outputitem_"
_READERS = 8


def output_item_id(run_id: str, row: int) -> str:
    return derived_id(_ITEM, run_id, row)


def output_item_row(run_id: str, item_id: str, rows: int) -> int | None:
    """The row of an output item; None where it is none of the run's `rows`."""
    return place_of(item_id, _ITEM, run_id, rows)


def items_key(run_id: str, chunk: int) -> str:
    return f"runs/{run_id}/chunks/{chunk:06d}.jsonl"


def output_items(run_id: str, chunk: int) -> list[dict[str, Any]]:
    """The output items of one graded chunk."""
    return [orjson.loads(line) for line in blobs.get(items_key(run_id, chunk)).splitlines()]


def output_item(run: Run, item_id: str) -> dict[str, Any]:
    """The output item of this id. Raises NotFound where the run has none, or no more, or has not graded it yet."""
    chunk = _chunk_with(output_item_row(run.id, item_id, run.rows or 0))
    graded = output_items(run.id, chunk) if chunk is not None and is_graded(run.id, chunk) else []
    item = next((item for item in graded if item["id"] == item_id), None)
    if item is None:
        raise NotFound("output item", item_id, param="output_item_id")
    return item


def output_items_behind(
    run: Run, *, after: str | None, status: str | None, descending: bool
) -> Iterator[dict[str, Any]]:
    """The output items behind the item `after`, lazily: only the chunks of the items that are taken are read.

    Nothing if `after` is no item of the run; it may have been erased. With `status`, only the items that have it;
    `error` asks for those that could not be sampled or graded, whose own status is `fail`.
    """
    row = None if after is None else output_item_row(run.id, after, run.rows or 0)
    if after is not None and row is None:
        return
    for chunk in chunks_from(run.id, _chunk_with(row), descending=descending):
        items = output_items(run.id, chunk.chunk)
        for item in reversed(items) if descending else items:
            if _is_behind(row, item, descending=descending) and _has(status, item):
                yield item


def _chunk_with(row: int | None) -> int | None:
    """The chunk that holds a row; every chunk but the last has as many rows."""
    return None if row is None else row // ROWS_A_CHUNK


def _is_behind(row: int | None, item: dict[str, Any], *, descending: bool) -> bool:
    if row is None:
        return True
    number: int = item["datasource_item_id"]
    return number < row if descending else number > row


def _has(status: str | None, item: dict[str, Any]) -> bool:
    return bool(item.get("errored")) if status == "error" else status in {None, item["status"]}


def read_output_items[Kept](
    run_id: str,
    chunks: Iterable[int],
    keep: Callable[[dict[str, Any]], Kept],
    *,
    each_chunk: Callable[[], None] = lambda: None,
) -> Iterator[Kept]:
    """What `keep` makes of each output item of these chunks, in order, eight chunks read at once.

    Only what is kept stays in memory: the bodies of a large run do not fit into it together. `each_chunk` is called
    after each chunk; an error of it stops the reading.
    """

    def kept(chunk: int) -> list[Kept]:
        return [keep(item) for item in output_items(run_id, chunk)]

    with ThreadPoolExecutor(_READERS) as readers:
        try:
            for items in readers.map(kept, chunks):
                each_chunk()
                yield from items
        finally:
            readers.shutdown(cancel_futures=True)
