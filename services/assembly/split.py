"""Which rows validate: the same for the same rows, whatever order they came in.

Rows of one unit, such as the mails of a user, go the same way. Without slices that follows from the seed and the unit
alone, so more rows change nothing for those that were there. With slices the same share of each validates.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from typing import NamedTuple

from assembly.row import Row
from distillations.dataset import validates
from distillations.recipe import Recipe


class Unit(NamedTuple):
    """Rows that go the same way. Units are in order by their slice, and by lot within one."""

    slice: str
    lot: bytes
    name: str
    rows: int


def validating(rows: Sequence[Row], recipe: Recipe) -> set[str]:
    """The ids of the rows that validate. What was written never does: the validation looks like production."""
    rows = [row for row in rows if not row.synthetic]
    if recipe.stratify_by is None:
        return {row.id for row in rows if validates(recipe.seed, row.unit, recipe.validation_share)}
    chosen = set(drawn(sorted(units_of(rows, recipe)), recipe.validation_share))
    return {row.id for row in rows if row.unit in chosen}


def units_of(rows: Iterable[Row], recipe: Recipe) -> Iterator[Unit]:
    """The units of the rows: all rows of one must be among them."""
    units: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        units[row.unit][row.tags.get(recipe.stratify_by or "", "")] += 1
    for name, slices in units.items():
        yield Unit(_slice(slices), _lot(recipe.seed, name), name, slices.total())


def drawn(units: Iterable[Unit], share: float) -> Iterator[str]:
    """The units that validate: where the running count of rows passes a multiple of one over the share.

    Units are in order. A slice of one unit trains.
    """
    count = 0
    for _, members in groupby(units, key=lambda unit: unit.slice):
        first, *others = islice(members, 2)
        for unit in chain([first], others, members) if others else ():
            before, count = count, count + unit.rows
            if int(count * share) > int(before * share):
                yield unit.name


def _slice(counts: Counter[str]) -> str:
    """The slice of a unit: the one of most of its rows, of as many the first by name."""
    return min(counts, key=lambda value: (-counts[value], value))


def _lot(seed: int, unit: str) -> bytes:
    return hashlib.sha256(f"split:{seed}:{unit}".encode()).digest()
