"""The stages that look at whole slices: balance, and the split by slices.

A slice may be most of the set. So each share is put in order, and the ordered shares are merged in one go: of each a
megabyte is in memory. Where a row stands in its slice, and how many the slice has, tells what becomes of it.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from hashlib import blake2b
from itertools import batched, groupby
from typing import Any

import orjson

from assembly.curation.balance import lot, verdict_on
from assembly.row import Row
from assembly.split import Unit, drawn, units_of, validating
from assembly.stages import shares
from assembly.stages.plan import Stage
from assembly.stages.work import Output, ShareOf, Work
from distillations.recipe import Balance, Recipe
from foundation import blobs

_AT_ONCE = 50_000


def balance(work: Work, stage: Stage, names: Sequence[str], share_of: ShareOf) -> list[str]:
    """Take the step. Returns the names of what is left."""
    [step] = stage.steps

    def put_in_order(number: int) -> bytes:
        output, found, seed = Output(work, share_of), [], work.making.recipe.seed
        for row in work.rows(names, number):
            if step.by in row.tags:
                found.append((row.tags[step.by], not row.kept, lot(seed, row).hex(), row.created, row.id, row))
            else:
                output.add(row)
        counts = Counter(key[0] for key in found)
        lines = b"".join(orjson.dumps(key) + b"\n" for key in sorted(found, key=lambda key: key[:5]))
        ordered = shares.packed([orjson.dumps(counts), lines])
        blobs.put(work.key(stage.name(f"ordered-{number:04}")), ordered)
        return output.packed()

    untagged = work.each(stage.name("untagged"), put_in_order)
    ordered = [stage.name(f"ordered-{number:04}") for number in range(work.total)]
    balanced = stage.name("balanced")
    work.once(balanced, lambda: orjson.dumps(_balanced(work, stage, step, ordered, share_of)))
    return [*untagged, *orjson.loads(blobs.get(work.key(balanced)))]


def _balanced(work: Work, stage: Stage, step: Balance, ordered: Sequence[str], share_of: ShareOf) -> list[str]:
    """Write what is left of all slices, some rows an object. Returns the names of the objects."""
    totals = Counter[str]()
    for counts in work.shares(ordered, 0, of=2):
        totals.update(orjson.loads(counts))
    merged = heapq.merge(*(_lines(work, name) for name in ordered), key=lambda fields: fields[:5])
    names = []
    placed = (
        (place, totals[name], Row(**fields[5]))
        for name, of_slice in groupby(merged, key=lambda fields: fields[0])
        for place, fields in enumerate(of_slice)
    )
    for number, some in enumerate(batched(placed, _AT_ONCE, strict=False)):
        output = Output(work, share_of)
        verdicts = (verdict_on(row, place, total, step) for place, total, row in some)
        output.take(work.judged([row for *_, row in some], step.rule, filter(None, verdicts)))
        names.append(stage.name(f"balanced-{number:04}"))
        blobs.put(work.key(names[-1]), output.packed())
    return names


def _lines(work: Work, name: str) -> Iterator[list[Any]]:
    return map(orjson.loads, shares.lines(work.key(name), 1, of=2))


class HeldBack:
    """Which rows of a set validate."""

    def __init__(self, recipe: Recipe, units: bytes = b"") -> None:
        self._recipe = recipe
        self._units = array("Q", units)

    def of(self, rows: Sequence[Row]) -> Container[str]:
        """The ids of those that do."""
        if self._recipe.stratify_by is None:
            return validating(rows, self._recipe)
        return {row.id for row in rows if self._has(_digest(row.unit))}

    def _has(self, digest: int) -> bool:
        at = bisect_left(self._units, digest)
        return at < len(self._units) and self._units[at] == digest


def by_unit(work: Work, row: Row) -> int:
    """Rows of one unit are in one share."""
    return _digest(row.unit) % work.total


def split(work: Work, names: Sequence[str]) -> tuple[list[str], HeldBack]:
    """Which rows validate. Returns the names of what is left, by range, and what tells it."""
    recipe = work.making.recipe
    if recipe.stratify_by is None:
        return list(names), HeldBack(recipe)

    def in_order(number: int) -> bytes:
        output, rows = Output(work, work.by_range), list(work.rows(names, number))
        units = sorted(units_of(rows, recipe))
        packed = (orjson.dumps([unit.slice, unit.lot.hex(), unit.name, unit.rows]) + b"\n" for unit in units)
        blobs.put(work.key(f"units-{number:04}"), shares.packed([b"", b"".join(packed)]))
        for row in rows:
            output.add(row)
        return output.packed()

    left = work.each("split", in_order)
    work.once("validating", lambda: _chosen(work, [f"units-{number:04}" for number in range(work.total)]))
    return left, HeldBack(recipe, blobs.get(work.key("validating")))


def _chosen(work: Work, names: Sequence[str]) -> bytes:
    merged = heapq.merge(*(_lines(work, name) for name in names))
    units = (Unit(slice_, bytes.fromhex(lot_), name, rows) for slice_, lot_, name, rows in merged)
    share = work.making.recipe.validation_share
    return array("Q", sorted(_digest(name) for name in drawn(units, share))).tobytes()


def _digest(unit: str) -> int:
    return int.from_bytes(blake2b(unit.encode(), digest_size=8).digest())
