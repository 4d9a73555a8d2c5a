"""What a run's rows leave behind: an output item each, in an object for each graded chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from foundation import blobs
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
