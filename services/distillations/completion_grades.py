"""The grades of one completion: the runs that have it among their rows, and what they found.

In: a completion's id. Out: the output items of its rows, by run. The lineage names the runs: a completion went into
those over stored completions, and into the files of frozen rows, which went into runs. Where it stands in a run is said
by the run's index of rows, so that its own items are read and no others.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, NamedTuple

from distillations import lineage
from evals.items_by_status import has_index
from evals.row_index import row_index
from evals.run import Run
from foundation import table

_MOST_LOADED = 500
_SECONDS = 15.0
_AT_ONCE = 4
_MOST_ROWS = 10
"""A completion is seldom several rows of a run."""


class GradedIn(NamedTuple):
    """A run, and its output items that are about the completion."""

    run: Run
    items: list[dict[str, Any]]


class Looked(NamedTuple):
    """What was found, the newest run first, and in how many of the completion's runs nobody has looked."""

    found: list[GradedIn]
    runs: int
    left_out: int


class _OutOfTime(Exception):
    """A run's index took longer than there was time."""


def grades_of(completion_id: str, *, most: int) -> Looked:
    """Look into the newest completed runs of a completion, at most so many and for at most 15 seconds.

    Left out are older runs, those that are under way, and those too large for an index.
    """
    ids = _run_ids(completion_id)
    runs = sorted(_loaded(ids[-_MOST_LOADED:]), key=lambda run: (run.created_at, run.id), reverse=True)
    unread = len(ids[:-_MOST_LOADED]) + sum(not has_index(run) for run in runs)
    candidates = [run for run in runs if has_index(run)]
    until = time.monotonic() + _SECONDS
    with ThreadPoolExecutor(_AT_ONCE) as readers:
        found = list(readers.map(lambda run: _graded_in(run, completion_id, until), candidates[:most]))
    in_time = [graded for graded in found if graded is not None]
    return Looked([graded for graded in in_time if graded.items], len(in_time), len(candidates) - len(in_time) + unread)


def _run_ids(completion_id: str) -> list[str]:
    """The ids of the runs that the completion went into, by itself or in a file of frozen rows, each once."""
    ids = dict.fromkeys(lineage.went_into(completion_id, "run"))
    for file_id in lineage.went_into(completion_id, "file"):
        ids |= dict.fromkeys(lineage.went_into(file_id, "run"))
    return list(ids)


def _loaded(run_ids: list[str]) -> list[Run]:
    """The runs that there still are."""
    return [Run.from_row(row) for row in table.get_all((Run.KIND, run_id) for run_id in run_ids).values()]


def _graded_in(run: Run, completion_id: str, until: float) -> GradedIn | None:
    """What a run found; None where the time is over before its rows are known."""
    check = _check(until)
    try:
        check()
        index = row_index(run, each_chunk=check)
    except _OutOfTime:
        return None
    return GradedIn(run, [index.item_at(run.id, row) for row in islice(index.rows_of(completion_id), _MOST_ROWS)])


def _check(until: float) -> Callable[[], None]:
    def check() -> None:
        if time.monotonic() > until:
            raise _OutOfTime

    return check
