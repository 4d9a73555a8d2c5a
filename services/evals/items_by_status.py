"""The output items of a completed run that have one status, chosen from its index: no chunk is read for nothing.

In: a completed run, a status, the item behind which to begin. Out: the items, lazily. Scanning the chunks instead would
read ten thousand rows to find out that none of them errored.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import Any

from evals.output_items import output_item_row, output_items_behind
from evals.row_index import ERRORED, PASSED, RowIndex, row_index
from evals.run import Run

_MOST_ROWS = 20_000
"""Of larger runs the index takes too long to be made while somebody waits."""
_AT_ONCE = 8


def has_index(run: Run) -> bool:
    """Whether the run's items can be chosen from an index."""
    return run.status == "completed" and run.result_counts.total <= _MOST_ROWS


def items_by_status(run: Run, *, after: str | None, status: str, descending: bool) -> Iterator[dict[str, Any]]:
    """The items of this status behind the item `after`; nothing if `after` is no item of the run."""
    index = row_index(run)
    last = len(index.names)
    if last < run.result_counts.total:
        # Some were erased: the number of a row is not its place any more.
        yield from output_items_behind(run, after=after, status=status, descending=descending)
        return
    first = None if after is None else output_item_row(run.id, after, last)
    if after is not None and first is None:
        return
    if descending:
        rows = range((last if first is None else first) - 1, -1, -1)
    else:
        rows = range(0 if first is None else first + 1, last)
    wanted = (row for row in rows if _has(index, row, status))
    with ThreadPoolExecutor(_AT_ONCE) as readers:
        for some in batched(wanted, _AT_ONCE, strict=False):
            yield from list(readers.map(lambda row: index.item_at(run.id, row), some))


def _has(index: RowIndex, row: int, status: str) -> bool:
    """Whether an item has a status, as `output_items` means it: an errored one counts as failed too."""
    errored = index.states[row] == ERRORED
    if status == "error":
        return errored
    passed = bool(index.results) and all(letters[row] == PASSED for letters in index.results.values())
    return (status == "pass" and passed) or (status == "fail" and not passed)
