"""The rows of several runs beside each other: which were won, lost or wrong everywhere, with a page of them in full.

In: completed runs of one eval, the base first, and a `RowFilter`. Out: how many rows there are of each outcome, and the
rows that the filter selects, lazily, each with the output item of every run. Rows pair as in a comparison: by the
completion's id, else by number where their items are equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import Literal, NamedTuple

from evals.output_item import OutputItem
from evals.row_index import IndexedRow, indexed_rows, item_at
from evals.run import Run
from foundation.document import Document

type ComparedOutcome = Literal["won", "lost", "all_right", "all_wrong", "errored"]
"""`won` where the base failed and another run passed, `lost` where the base passed and another run failed."""
_READERS = 8
_ROWS_AT_ONCE = 4


class OutcomeCounts(Document):
    """How many rows have each outcome, of those that meet the other conditions."""

    won: int = 0
    """Rows that the base failed and another run passed."""
    lost: int = 0
    """Rows that the base passed and another run failed."""
    all_right: int = 0
    """Rows that every run passed."""
    all_wrong: int = 0
    """Rows that no run passed."""
    errored: int = 0
    """Rows that one of the runs could not grade."""


class ComparedRow(Document):
    """A row as all runs have it."""

    id: str
    """The name by which rows of different runs pair: the completion's id, else the row's number."""
    outcome: ComparedOutcome
    tags: dict[str, str]
    """Metadata by its keys, and the short fields of the item as `item.<field>`."""
    items: list[OutputItem | None]
    """By run, in their order; null where a run does not have the row."""


class ComparedRows(Document):
    """A page of the rows of several runs, in the order of the base."""

    object: Literal["list"] = "list"
    eval_id: str
    run_ids: list[str]
    """The base first."""
    counts: OutcomeCounts
    data: list[ComparedRow]
    first_id: str | None
    last_id: str | None
    has_more: bool


class RowFilter(NamedTuple):
    """Which rows. With a `criterion` it alone decides the outcome; the scores are that criterion's, of any run."""

    outcome: ComparedOutcome | None = None
    criterion: str | None = None
    min_score: float | None = None
    max_score: float | None = None
    tags: Mapping[str, str] = {}


class _Row(NamedTuple):
    outcome: ComparedOutcome
    base: IndexedRow
    others: Sequence[IndexedRow | None]


class Beside:
    """The rows of completed runs, the base first, that meet a filter's conditions."""

    def __init__(self, runs: Sequence[Run], asked: RowFilter, *, check: Callable[[], None] = lambda: None) -> None:
        self._run_ids = [run.id for run in runs]
        rows = list(_rows(runs, asked, check))
        self._rows = [row for row in rows if asked.outcome in {None, row.outcome}]
        self.counts = OutcomeCounts.model_validate(Counter(row.outcome for row in rows))

    def behind(self, name: str | None) -> Iterator[ComparedRow]:
        """The rows behind the one of this name, or all. Nothing where the filter selects none of this name."""
        names = [row.base.name for row in self._rows]
        if name is not None and name not in names:
            return
        first = 0 if name is None else names.index(name) + 1
        with ThreadPoolExecutor(_READERS) as readers:
            for some in batched(self._rows[first:], _ROWS_AT_ONCE, strict=False):
                items = iter(list(readers.map(self._item, self._places(some))))
                for row in some:
                    own = [next(items) for _ in self._run_ids]
                    yield ComparedRow(id=row.base.name, outcome=row.outcome, tags=dict(row.base.tags), items=own)

    def _places(self, rows: Iterable[_Row]) -> Iterator[tuple[str, IndexedRow | None]]:
        for row in rows:
            yield from zip(self._run_ids, [row.base, *row.others], strict=True)

    @staticmethod
    def _item(place: tuple[str, IndexedRow | None]) -> OutputItem | None:
        run_id, row = place
        return None if row is None else OutputItem.model_validate(item_at(run_id, row))


def _rows(runs: Sequence[Run], asked: RowFilter, check: Callable[[], None]) -> Iterator[_Row]:
    """The rows of the base that meet every condition but the outcome."""
    base, *others = [indexed_rows(run, each_chunk=check) for run in runs]
    by_name = [{row.name: row for row in other} for other in others]
    for row in base:
        if any(row.tags.get(key) != value for key, value in asked.tags.items()):
            continue
        paired = [_paired(row, other) for other in by_name]
        if _in_range([row, *paired], asked):
            yield _Row(_outcome([row, *paired], asked.criterion), row, paired)


def _paired(row: IndexedRow, others: Mapping[str, IndexedRow]) -> IndexedRow | None:
    other = others.get(row.name)
    return other if other is not None and other.content == row.content else None


def _outcome(rows: Sequence[IndexedRow | None], criterion: str | None) -> ComparedOutcome:
    passed = [_passed(row, criterion) for row in rows if row is not None]
    if None in passed:
        return "errored"
    base, others = passed[0], passed[1:]
    if all(passed):
        return "all_right"
    if not any(passed):
        return "all_wrong"
    return "lost" if base and not all(others) else "won"


def _passed(row: IndexedRow, criterion: str | None) -> bool | None:
    """Whether a run passed a row; None where it could not be graded."""
    if row.errored or (criterion is not None and criterion not in row.results):
        return None
    return row.passed if criterion is None else row.results[criterion][0]


def _in_range(rows: Iterable[IndexedRow | None], asked: RowFilter) -> bool:
    if asked.criterion is None or (asked.min_score is None and asked.max_score is None):
        return True
    results = [row.results.get(asked.criterion) for row in rows if row is not None and not row.errored]
    scores = [result[1] for result in results if result is not None and result[1] is not None]
    low = float("-inf") if asked.min_score is None else asked.min_score
    high = float("inf") if asked.max_score is None else asked.max_score
    return any(low <= score <= high for score in scores)
