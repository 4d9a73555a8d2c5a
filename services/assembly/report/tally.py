"""Counts of labels and amounts by group, in bounded memory, and the same in whatever order the rows come.

In: the features of rows, each with the groups that it counts in. Out: exact counts of every value of a field that has
at most 200, and of 48 fields. Of more values those with the smallest digests are kept, which are exact still, and say
how many there are: Bar-Yossef et al. (2002), "Counting distinct elements in a data stream", RANDOM, algorithm 1.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from math import log2
from typing import Any

from assembly.report.features import DATE

MOST_VALUES = 200
MOST_FIELDS = 48
_STEPS_AN_OCTAVE = 8
_DIGEST = 8
_DIGESTS = float(1 << 8 * _DIGEST)
_SECONDS_A_DAY = 86_400


class Group(IntEnum):
    """A group of rows, as the place of its count."""

    PRODUCTION = 0
    SELECTED = 1
    TRAIN_ROWS = 2
    TRAIN_LINES = 3
    """Train rows as often as they stand in the file."""
    VALIDATION = 4
    EARLY = 5
    """The first half of what was selected, by time."""
    LATE = 6
    EITHER = 7
    """Rows of production and rows that train, each once."""


type Counts = Mapping[Group, int]


class Cell:
    """How often one value was there, by group, and when it was there first and last among what was selected."""

    __slots__ = ("counts", "first", "last")

    def __init__(self) -> None:
        self.counts = [0] * len(Group)
        self.first: int | None = None
        self.last: int | None = None

    def add(self, counts: Counts, at: int) -> None:
        for group, count in counts.items():
            self.counts[group] += count
        if Group.SELECTED in counts:
            self._note(at, at)

    def packed(self) -> list[Any]:
        return [self.counts, self.first, self.last]

    def take(self, packed: list[Any]) -> None:
        """Add what another cell has counted."""
        counts, first, last = packed
        self.counts = [ours + theirs for ours, theirs in zip(self.counts, counts, strict=True)]
        if first is not None:
            self._note(first, last)

    def _note(self, first: int, last: int) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)


class BySmallestDigest[Value]:
    """What is known by name, of which the names with the smallest digests are kept."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[str, Value] = {}
        # The largest digest first, as heaps have the smallest.
        self._largest: list[tuple[float, str]] = []
        self.full = False
        """Whether some did not fit."""

    def __iter__(self) -> Iterator[tuple[str, Value]]:
        return iter(self._known.items())

    def __len__(self) -> int:
        return len(self._known)

    def get(self, name: str) -> Value | None:
        return self._known.get(name)

    def put(self, name: str, value: Value) -> None:
        """Keep one that is not known, unless its digest is too large."""
        heapq.heappush(self._largest, (-_digest(name), name))
        self._known[name] = value
        if len(self._known) > self._most:
            self.full = True
            del self._known[heapq.heappop(self._largest)[1]]

    @property
    def distinct(self) -> int:
        """How many there were; an estimate where some did not fit."""
        if not self.full:
            return len(self._known)
        return round((len(self._known) - 1) / -self._largest[0][0])


class Labels:
    """The values of one field."""

    def __init__(self) -> None:
        self.cells = BySmallestDigest[Cell](MOST_VALUES)
        self.long = Cell()
        """Rows whose value is too long to be one."""

    def add(self, value: str | None, counts: Counts, at: int) -> None:
        if value is None:
            self.long.add(counts, at)
            return
        self._of(value).add(counts, at)

    def packed(self) -> list[Any]:
        return [self.cells.full, {value: cell.packed() for value, cell in self.cells}, self.long.packed()]

    def take(self, packed: list[Any]) -> None:
        """Add what others have counted of the field in other rows."""
        full, cells, long = packed
        for value, cell in cells.items():
            self._of(value).take(cell)
        self.cells.full |= full
        self.long.take(long)

    def _of(self, value: str) -> Cell:
        known = self.cells.get(value)
        if known is None:
            known = Cell()
            self.cells.put(value, known)
        return known


class Amounts:
    """One field of numbers, by steps of nine percent; dates by the day."""

    def __init__(self, field: str) -> None:
        self._step = _day_of if field == DATE else step_of
        self.cells: dict[int, Cell] = {}

    def add(self, value: int, counts: Counts, at: int) -> None:
        self.cells.setdefault(self._step(value), Cell()).add(counts, at)

    def packed(self) -> list[Any]:
        return [[step, cell.packed()] for step, cell in self.cells.items()]

    def take(self, packed: list[Any]) -> None:
        """Add what others have counted of the field in other rows."""
        for step, cell in packed:
            self.cells.setdefault(step, Cell()).take(cell)


class Table:
    """All fields of some rows, and how many rows there are by group."""

    def __init__(self) -> None:
        self.totals = [0] * len(Group)
        self.labels = BySmallestDigest[Labels](MOST_FIELDS)
        self.amounts: dict[str, Amounts] = {}
        # How many rows stand so often in the training file, and once in production, too.
        self._standing = Counter[tuple[int, bool]]()

    def add(
        self, labels: Mapping[str, str | None], amounts: Mapping[str, int], counts: Counts, at: int, *, shared: bool
    ) -> None:
        """Count a row. `at` is its time in seconds; `shared` is whether it is counted as one of production, too."""
        lines = counts.get(Group.TRAIN_LINES, 0)
        self._standing[lines, shared] += 1
        if lines and not shared:
            counts = {**counts, Group.EITHER: 1}
        for group, count in counts.items():
            self.totals[group] += count
        for field, value in labels.items():
            self._of(field).add(value, counts, at)
        for field, amount in amounts.items():
            self._amounts_of(field).add(amount, counts, at)

    def packed(self) -> dict[str, Any]:
        """The counts as JSON, for `take`."""
        return {
            "totals": self.totals,
            "full": self.labels.full,
            "labels": {field: labels.packed() for field, labels in self.labels},
            "amounts": {field: amounts.packed() for field, amounts in self.amounts.items()},
            "standing": [[lines, shared, rows] for (lines, shared), rows in self._standing.items()],
        }

    def take(self, packed: dict[str, Any]) -> None:
        """Add what another table has counted of other rows. The sum is the table of all of them."""
        self.totals = [ours + theirs for ours, theirs in zip(self.totals, packed["totals"], strict=True)]
        for field, labels in packed["labels"].items():
            self._of(field).take(labels)
        self.labels.full |= packed["full"]
        for field, amounts in packed["amounts"].items():
            self._amounts_of(field).take(amounts)
        for lines, shared, rows in packed["standing"]:
            self._standing[lines, shared] += rows

    def _amounts_of(self, field: str) -> Amounts:
        if field not in self.amounts:
            self.amounts[field] = Amounts(field)
        return self.amounts[field]

    def _of(self, field: str) -> Labels:
        known = self.labels.get(field)
        if known is None:
            known = Labels()
            self.labels.put(field, known)
        return known

    @property
    def weights(self) -> dict[float, int]:
        """The weights by which rows make the difference of a share in production and in what trains, with their rows.

        A row that stands in the file several times is one row of more weight, and one that stands on both sides is no
        reason for a difference.
        """
        lines, production = self.totals[Group.TRAIN_LINES], self.totals[Group.PRODUCTION]
        weights = Counter[float]()
        for (copies, shared), rows in self._standing.items():
            weights[shared / production - copies / lines] += rows * (copies > 0)
        weights[1.0 / production] += production - self.shared_rows
        return dict(weights)

    @property
    def shared_rows(self) -> int:
        """The rows that train and are of production, too."""
        return sum(rows for (copies, shared), rows in self._standing.items() if copies and shared)

    @property
    def is_plain(self) -> bool:
        """Whether no row trains twice, and none stands on both sides."""
        return not self.shared_rows and self.totals[Group.TRAIN_LINES] == self.totals[Group.TRAIN_ROWS]


def step_of(amount: int) -> int:
    """The step of an amount: eight for each doubling, so that a step is nine percent wide."""
    return int(_STEPS_AN_OCTAVE * log2(1 + max(0, amount)))


def least_of(step: int) -> float:
    """The smallest amount of a step."""
    return float(2 ** (step / _STEPS_AN_OCTAVE) - 1)


def counts_of(cells: Sequence[Cell], group: Group) -> list[int]:
    """How often each was there in a group."""
    return [cell.counts[group] for cell in cells]


def _day_of(second: int) -> int:
    return second // _SECONDS_A_DAY


def _digest(name: str) -> float:
    raw = hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=_DIGEST).digest()
    return int.from_bytes(raw) / _DIGESTS
