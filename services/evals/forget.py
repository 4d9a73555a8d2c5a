"""Erase single rows from a run that is not at work: what was asked and answered in them, wherever it lies.

In: the run's id, and the completions whose rows are to go. Out: the run's rows and output items without them. Paid
answers and figures that were computed of the items go as a whole: they only save work. The run's counts stay, which say
nothing of a row. Doing it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import orjson

from evals.counts import graded_chunks
from evals.output_items import items_key
from evals.own_rows import rows_key
from foundation import blobs

_MEDIA = "application/jsonl"
_DERIVED = ("calls", "comparisons", "slices", "row_index")


def forget_rows(run_id: str, completion_ids: Collection[str]) -> None:
    """Erase the rows of these completions. The run is not at work: who grades reads rows by their place."""
    _rewrite(rows_key(run_id), lambda row: row["item"], completion_ids)
    for chunk in graded_chunks(run_id):
        _rewrite(items_key(run_id, chunk.chunk), lambda item: item["datasource_item"], completion_ids)
    for folder in _DERIVED:
        blobs.delete(blobs.keys(f"runs/{run_id}/{folder}/"))


def _rewrite(key: str, item_of: Callable[[dict[str, Any]], dict[str, Any]], completion_ids: Collection[str]) -> None:
    body = blobs.find(key)
    lines = (body or b"").splitlines(keepends=True)
    kept = [line for line in lines if item_of(orjson.loads(line)).get("completion_id") not in completion_ids]
    if len(kept) < len(lines):
        blobs.put(key, b"".join(kept), content_type=_MEDIA)
