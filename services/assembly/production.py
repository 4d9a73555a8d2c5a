"""Recent traffic: what a training set is to look like.

In: the filters that selected its completions, or the one that was named for this. Out: the newest completions of them,
whatever their times and limits say, up to when the set was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from completions import index
from completions.completion import Completion
from completions.scan import Scan
from completions.sources import StoredCompletions
from distillations.recipe import UsedRecipe, as_list

MOST = 5_000
"""The completions that are looked at: a share of them is known to a point and a half."""
_REFERENCES = 50_000
_SECONDS = 30.0
_A_DAY = 86_400


def recent_traffic(sources: Sequence[StoredCompletions], *, before: int) -> Iterator[Completion]:
    """The newest completions of the filters, as many of each; `before` is in seconds since the epoch."""
    for source in sources:
        anytime = source.model_copy(update={"created_after": None, "created_before": before, "limit": None})
        scan = Scan(references=_REFERENCES, seconds=_SECONDS / len(sources))
        yield from index.completions(anytime, limit=MOST // len(sources), descending=True, scan=scan)


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
        and all(source.created_before is None or source.created_before > before - _A_DAY for source in sources)
    )
