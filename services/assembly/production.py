"""Recent traffic: what a training set is to look like.

In: the filters that selected its completions, or the one that was named for this. Out: the newest completions of them,
whatever their times and limits say, up to when the set was asked for; and how fast they come.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from completions import index
from completions.completion import Completion
from completions.scan import Scan
from completions.sources import StoredCompletions
from distillations.recipe import UsedRecipe, as_list
from distillations.report.document import CountedTraffic, ProductionTraffic

MOST = 5_000
"""The completions that are looked at: a share of them is known to a point and a half."""
_REFERENCES = 50_000
_SECONDS = 30.0
A_DAY_S = 86_400
_AN_HOUR_S = 3_600
_COUNTED = 200_000
_COUNT_SECONDS = 20.0
_ORDER = attrgetter("order")


def recent_traffic(sources: Sequence[StoredCompletions], *, before: int) -> Iterator[Completion]:
    """The newest completions of the filters, as many of each; `before` is in seconds since the epoch."""
    for source in sources:
        scan = Scan(references=_REFERENCES, seconds=_SECONDS / len(sources))
        yield from index.completions(_anytime(source, before), limit=MOST // len(sources), descending=True, scan=scan)


def counted(sources: Sequence[StoredCompletions], *, before: int) -> CountedTraffic | None:
    """The newest completions that the filters select, counted back until they span a day.

    Where 200,000 of them span less, or those that were reached in 20 seconds, it is these, if they span an hour. None
    where all there is spans less than a day, as an import of an hour does, and for a filter by words: those are in the
    bodies, which nobody reads for a count.
    """
    if any(source.text is not None for source in sources):
        return None
    scan = Scan(references=_COUNTED, seconds=_COUNT_SECONDS)
    selected = [index.select(_anytime(source, before), descending=True, scan=scan) for source in sources]
    # What two filters select comes twice in a row.
    times = (order[0] for order, _ in groupby(heapq.merge(*selected, key=_ORDER, reverse=True), key=_ORDER))
    newest, rows, span = next(times, 0), 1, 0
    for created in times:
        rows, span = rows + 1, newest - created
        if span >= A_DAY_S:
            break
    told = span >= A_DAY_S or (scan.exhausted and span >= _AN_HOUR_S)
    return CountedTraffic(rows=rows, seconds=span) if told else None


def is_told(traffic: ProductionTraffic, sources: int) -> bool:
    """Whether this traffic, as many completions of each filter, tells by itself how fast it comes.

    Where it is all there is, there is nothing else to count. Of as many as are looked at some may be missing in it, as
    malformed ones are, but hardly half.
    """
    return traffic.rows < MOST // sources // 2 or (sources == 1 and traffic.span_s >= A_DAY_S)


def _anytime(source: StoredCompletions, before: int) -> StoredCompletions:
    return source.model_copy(update={"created_after": None, "created_before": before, "limit": None})


def is_what_was_selected(
    sources: Sequence[StoredCompletions], recipe: UsedRecipe, selected: int, *, before: int
) -> bool:
    """Whether recent traffic is nothing but what was selected, and need not be read again.

    So it is where the same filters selected no more than is looked at, of all times up to the last day.
    """
    return (
        selected <= MOST // len(sources)
        and list(sources) == as_list(recipe.source)
        and all(source.created_after is None and source.limit is None for source in sources)
        and all(source.created_before is None or source.created_before > before - A_DAY_S for source in sources)
    )
