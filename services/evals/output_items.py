"""What a run's rows leave behind: an output item each, in an object for each graded chunk."""

from __future__ import annotations

from typing import Any

import orjson

from foundation import blobs
from foundation.ids import derived_id, place_of

ROWS_A_CHUNK = 100
_ITEM = "outputitem_"


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
