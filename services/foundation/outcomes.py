"""What each test row came to in a run: passed, failed or errored, by completion id.

In: a completed run's output items. A truncated or filtered answer fails, whatever the graders say; an error is no
outcome, since it speaks of a provider or a grader and not of the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from foundation.evals import Run, graded_chunks, output_items

_CUT_SHORT = frozenset({"length", "content_filter"})


class Outcome(NamedTuple):
    """One row of one run."""

    passed: bool
    errored: bool
    item_id: str
    metadata: dict[str, str]


def outcomes(run: Run) -> dict[str, Outcome]:
    """The outcome of every row of a run."""
    return dict(_outcomes(run))


def _outcomes(run: Run) -> Iterator[tuple[str, Outcome]]:
    for chunk in graded_chunks(run.id):
        for item in output_items(run.id, chunk.chunk):
            yield row_id(item["datasource_item"], item["datasource_item_id"]), _outcome(item)


def row_id(item: dict[str, Any], number: int) -> str:
    """The name by which rows of different runs pair: the completion's id, else the row's number."""
    return str(item.get("completion_id") or number)


def _outcome(item: dict[str, Any]) -> Outcome:
    cut_short = item["sample"]["finish_reason"] in _CUT_SHORT
    return Outcome(
        passed=item["status"] == "pass" and not cut_short,
        errored=item["errored"],
        item_id=item["id"],
        metadata=item["datasource_item"].get("metadata") or {},
    )
