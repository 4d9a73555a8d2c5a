"""What two datasets made otherwise of the same completions.

In: what became of each completion in both. Out: how many each has alone, and how many ended otherwise, with the first
of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from pydantic import Field

from distillations.dataset_row import Outcome
from foundation.document import Document

_SHOWN = 100


class Ended(NamedTuple):
    """How a completion ended: its outcome, and the rule that dropped it."""

    outcome: Outcome
    rule: str | None


class Difference(Document):
    """A completion that ended otherwise in the other dataset; null stands for one that it does not have."""

    id: str
    """The completion's id."""
    outcome: Outcome | None
    rule: str | None
    """The rule that dropped it; null where none did."""
    other_outcome: Outcome | None
    other_rule: str | None


class DatasetDiff(Document):
    """How two datasets differ, by completions."""

    object: Literal["dataset.diff"] = "dataset.diff"
    id: str
    other_id: str
    same: int
    """Completions that ended alike in both."""
    alone: int
    """Completions that only the first has looked at."""
    other_alone: int
    """Completions that only the other has looked at."""
    changed: int
    """Completions of both that train or validate in one of them alone, or were dropped by another rule."""
    data: list[Difference] = Field(default_factory=list)
    """The first hundred that differ."""
    has_more: bool


def diff_of(rows: Iterable[dict[str, Any]], others: Iterable[dict[str, Any]], dataset: str, other: str) -> DatasetDiff:
    """Compare two datasets. The completions of the first are held in memory by id."""
    ended = {row["id"]: _ended(row) for row in rows}
    same = changed = other_alone = 0
    differences: list[Difference] = []

    def note(completion_id: str, here: Ended | None, there: Ended | None) -> None:
        if len(differences) < _SHOWN:
            ours, theirs = here or (None, None), there or (None, None)
            differences.append(
                Difference(
                    id=completion_id, outcome=ours[0], rule=ours[1], other_outcome=theirs[0], other_rule=theirs[1]
                )
            )

    for row in others:
        here, there = ended.pop(row["id"], None), _ended(row)
        if here == there:
            same += 1
            continue
        changed += here is not None
        other_alone += here is None
        note(row["id"], here, there)
    for completion_id, here in ended.items():
        note(completion_id, here, None)
    return DatasetDiff(
        id=dataset,
        other_id=other,
        same=same,
        alone=len(ended),
        other_alone=other_alone,
        changed=changed,
        data=differences,
        has_more=changed + other_alone + len(ended) > len(differences),
    )


def _ended(row: dict[str, Any]) -> Ended:
    dropped = row["outcome"] == "dropped" and row["evidence"]
    return Ended(row["outcome"], row["evidence"][-1]["rule"] if dropped else None)
