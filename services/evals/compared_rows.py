"""The rows of several runs beside each other: which were won, lost or wrong everywhere, with a page of them in full.

In: completed runs of one eval, the base first, and a `RowFilter`. Out: how many rows there are of each outcome, and the
rows that the filter selects, lazily, each with the output item of every run. Rows pair as in a comparison: by the
completion's id, else by number where their items are equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import batched
from typing import Literal, NamedTuple

from evals.output_item import OutputItem
from evals.row_index import ERRORED, FAILED, PASSED, RowIndex, row_index
from evals.run import Run
from foundation.document import Document

type ComparedOutcome = Literal["won", "lost", "all_right", "all_wrong", "errored"]
"""`won` where the base failed and another run passed, `lost` where the base passed and another run failed."""
ABSENT = "-"
"""The letter of a row that a run does not have."""
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


class Beside:
    """The rows of completed runs, the base first, that meet a filter's conditions."""

    def __init__(self, runs: Sequence[Run], asked: RowFilter, *, check: Callable[[], None] = lambda: None) -> None:
        self._run_ids = [run.id for run in runs]
        self._indexes = [row_index(run, each_chunk=check) for run in runs]
        base, *others = self._indexes
        self._base = base
        self._places: list[Sequence[int | None]] = [range(len(base.names)), *(_paired(base, other) for other in others)]
        columns = [
            [ABSENT if place is None else letters[place] for place in places]
            for letters, places in zip(
                (index.went(asked.criterion) for index in self._indexes), self._places, strict=True
            )
        ]
        outcomes = [_outcome("".join(letters)) for letters in zip(*columns, strict=True)]
        rows = self._meeting(asked)
        self._outcomes = outcomes
        self._rows = [row for row in rows if asked.outcome in {None, outcomes[row]}]
        self.counts = OutcomeCounts.model_validate(Counter(outcomes[row] for row in rows))

    def behind(self, name: str | None) -> Iterator[ComparedRow]:
        """The rows behind the one of this name, or all. Nothing where the filter selects none of this name."""
        first = 0
        if name is not None:
            at = next((place for place, row in enumerate(self._rows) if self._base.names[row] == name), None)
            if at is None:
                return
            first = at + 1
        with ThreadPoolExecutor(_READERS) as readers:
            for some in batched(self._rows[first:], _ROWS_AT_ONCE, strict=False):
                wanted = [(run, row) for row in some for run in range(len(self._run_ids))]
                items = iter(list(readers.map(self._item, wanted)))
                for row in some:
                    yield ComparedRow(
                        id=self._base.names[row],
                        outcome=self._outcomes[row],
                        tags=self._base.tags_of(row),
                        items=[next(items) for _ in self._run_ids],
                    )

    def _item(self, wanted: tuple[int, int]) -> OutputItem | None:
        run, row = wanted
        place = self._places[run][row]
        if place is None:
            return None
        return OutputItem.model_validate(self._indexes[run].item_at(self._run_ids[run], place))

    def _meeting(self, asked: RowFilter) -> list[int]:
        """The rows of the base that meet every condition but the outcome."""
        rows: Iterable[int] = range(len(self._base.names))
        for key, value in asked.tags.items():
            having = self._base.having(key, value)
            rows = [row for row in rows if row in having]
        if asked.criterion is None or (asked.min_score is None and asked.max_score is None):
            return list(rows)
        low = float("-inf") if asked.min_score is None else asked.min_score
        high = float("inf") if asked.max_score is None else asked.max_score
        return [row for row in rows if any(low <= score <= high for score in self._scores(row, asked.criterion))]

    def _scores(self, row: int, criterion: str) -> Iterator[float]:
        """The scores that the runs have for a row by this criterion, as far as they could be graded."""
        for index, places in zip(self._indexes, self._places, strict=True):
            place = places[row]
            if place is not None and index.states[place] != ERRORED and criterion in index.scores:
                score = index.scores[criterion][place]
                if score is not None:
                    yield score


def _paired(base: RowIndex, other: RowIndex) -> Sequence[int | None]:
    """For each row of the base, the place of the same row in another run; None where that does not have it."""
    if base.names == other.names and base.contents == other.contents:
        return range(len(base.names))
    places = {name: place for place, name in enumerate(other.names)}
    found = [places.get(name) for name in base.names]
    return [
        place if place is not None and other.contents[place] == content else None
        for place, content in zip(found, base.contents, strict=True)
    ]


@cache
def _outcome(letters: str) -> ComparedOutcome:
    """The outcome of a row by how it went in each run, the base first."""
    went = letters.replace(ABSENT, "")
    if ERRORED in went:
        return "errored"
    if FAILED not in went:
        return "all_right"
    if PASSED not in went:
        return "all_wrong"
    return "lost" if letters[0] == PASSED else "won"
