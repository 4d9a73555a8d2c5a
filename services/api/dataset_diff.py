"""What two datasets made otherwise of the same completions.

In: what became of each completion in both, line by line, and read again where that is needed. Out: how many each has
alone, and how many ended otherwise, with the first of them. In memory is a digest of each completion of the first, some
100 bytes, and of no more than half a million: a call has 29 seconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Literal, NamedTuple

from pydantic import Field

from distillations.dataset_row import Outcome
from foundation.document import Document
from foundation.errors import ApiError

_SHOWN = 100
MOST_COMPARED = 500_000
"""A set of so many and another one take about 6 seconds of a whole processor, of which the API has more than half."""
type Read = Callable[[], Iterator[dict[str, Any]]]
"""Reads the rows of a dataset, each time anew."""


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


def diff_of(rows: Read, others: Read, dataset: str, other: str) -> DatasetDiff:
    """Compare two datasets. Raises ApiError where the first has more completions than are compared."""
    ended = _Endings(rows())
    same = changed = other_alone = 0
    differences: list[Difference] = []
    for row in others():
        here, there = ended.pop(row["id"]), _ended(row)
        if here == there:
            same += 1
            continue
        changed += here is not None
        other_alone += here is None
        if len(differences) < _SHOWN:
            differences.append(_difference(row["id"], here, there))
    left = (row for row in (rows() if ended.left else ()) if ended.has(row["id"]))
    differences += [_difference(row["id"], _ended(row), None) for row in islice(left, _SHOWN - len(differences))]
    return DatasetDiff(
        id=dataset,
        other_id=other,
        same=same,
        alone=ended.left,
        other_alone=other_alone,
        changed=changed,
        data=differences,
        has_more=changed + other_alone + ended.left > len(differences),
    )


class _Endings:
    """How the completions of a dataset ended, by a digest of their ids."""

    def __init__(self, rows: Iterable[dict[str, Any]]) -> None:
        self._kinds: dict[Ended, Ended] = {}
        self._ended: dict[int, Ended] = {}
        for number, row in enumerate(rows):
            if number == MOST_COMPARED:
                raise ApiError(
                    f"More than {MOST_COMPARED} completions are not compared: read the rows of both datasets "
                    "(GET /v1/datasets/{id}/rows), or compare datasets of a part of them.",
                    code="diff_too_large",
                    param="dataset_id",
                )
            how = _ended(row)
            self._ended[_digest(row["id"])] = self._kinds.setdefault(how, how)

    @property
    def left(self) -> int:
        """How many were not taken out."""
        return len(self._ended)

    def has(self, completion_id: str) -> bool:
        return _digest(completion_id) in self._ended

    def pop(self, completion_id: str) -> Ended | None:
        """Take a completion out: how it ended, or None where it is not there."""
        return self._ended.pop(_digest(completion_id), None)


def _digest(completion_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(completion_id.encode(), digest_size=8).digest())


def _difference(completion_id: str, here: Ended | None, there: Ended | None) -> Difference:
    ours, theirs = here or (None, None), there or (None, None)
    return Difference(id=completion_id, outcome=ours[0], rule=ours[1], other_outcome=theirs[0], other_rule=theirs[1])


def _ended(row: dict[str, Any]) -> Ended:
    dropped = row["outcome"] == "dropped" and row["evidence"]
    return Ended(row["outcome"], row["evidence"][-1]["rule"] if dropped else None)
