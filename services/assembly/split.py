"""Which rows validate: the same for the same rows, whatever order they came in.

Rows of one unit, such as the mails of a user, go the same way. Without slices that follows from the seed and the unit
alone, so more rows change nothing for those that were there. With slices the same share of each validates.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence

from assembly.row import Row
from distillations.dataset import validates
from distillations.recipe import Recipe


def validating(rows: Sequence[Row], recipe: Recipe) -> set[str]:
    """The ids of the rows that validate. What was written never does: the validation looks like production."""
    rows = [row for row in rows if not row.synthetic]
    if recipe.stratify_by is None:
        return {row.id for row in rows if validates(recipe.seed, row.unit, recipe.validation_share)}
    units: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        units[row.unit].append(row)
    chosen = _drawn(units, recipe, recipe.stratify_by)
    return {row.id for unit in chosen for row in units[unit]}


def _drawn(units: dict[str, list[Row]], recipe: Recipe, key: str) -> list[str]:
    """The units that validate: where the running count of rows passes a multiple of one over the share.

    Units stand slice by slice, and by lot within one. A slice of one unit trains.
    """
    slices: dict[str, list[str]] = defaultdict(list)
    for unit, rows in units.items():
        slices[_slice(rows, key)].append(unit)
    chosen: list[str] = []
    count = 0
    for _, members in sorted(slices.items()):
        for unit in sorted(members, key=lambda unit: _lot(recipe.seed, unit)) if len(members) > 1 else []:
            before, count = count, count + len(units[unit])
            if int(count * recipe.validation_share) > int(before * recipe.validation_share):
                chosen.append(unit)
    return chosen


def _slice(rows: list[Row], key: str) -> str:
    """The slice of a unit: the one of most of its rows, of as many the first by name."""
    counts = Counter(row.tags.get(key, "") for row in rows)
    return min(counts, key=lambda value: (-counts[value], value))


def _lot(seed: int, unit: str) -> bytes:
    return hashlib.sha256(f"split:{seed}:{unit}".encode()).digest()
