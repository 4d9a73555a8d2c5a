"""Slices of a training set that are small, and fields whose slices are uneven.

In: the fields of labels. Out: what is to be known of those that are closed. Only what callers and teachers say makes
slices: metadata, fields of the input, the answer, the tools called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import log2

from assembly.report.features import METADATA, TOOLS
from distillations.recipe import ANSWER
from distillations.report.document import Imbalance, RareSlice
from distillations.report.fields import LabelField, ValueCount
from evals.slicing import LEAST_ROWS

_MOST_RARE = 20
_SHARE_OF_EVEN = 0.5
_LEAST_ON_AVERAGE = 10
"""The training rows for each value without which a field is no slicing, but says something of each row."""


def imbalances(fields: Iterable[LabelField]) -> list[Imbalance]:
    """How uneven each field of slices is, the most uneven first."""
    shown = [_imbalance(field, values) for field, values in _sliced(fields)]
    return sorted(shown, key=lambda one: (one.smallest_rows / one.largest_rows, one.field))


def rare_slices(fields: Iterable[LabelField], production: int) -> list[RareSlice]:
    """The slices with fewer than 20 training rows, or half of what even shares would give; the smallest first.

    `production` is how many rows production has. Twenty rows are the fewest that a verdict has a figure for.
    """
    rare = []
    for field, values in _sliced(fields):
        even = sum(one.train_rows for one in values) / len(values)
        for one in values:
            if one.train_rows < max(LEAST_ROWS, _SHARE_OF_EVEN * even):
                share = one.production / production if production else None
                rare.append(_rare(field.field, one, share, even))
    return sorted(rare, key=lambda one: (one.train_rows, one.field, one.value))[:_MOST_RARE]


def _rare(field: str, one: ValueCount, share: float | None, even: float) -> RareSlice:
    return RareSlice(
        field=field,
        value=one.value or "",
        train_rows=one.train_rows,
        train_lines=one.train_lines,
        production_share=share,
        even_share_rows=round(even, 1),
    )


def _sliced(fields: Iterable[LabelField]) -> Iterator[tuple[LabelField, Sequence[ValueCount]]]:
    """The closed fields of slices with two values or more, and those values."""
    for field in fields:
        makes_slices = field.field in {ANSWER, TOOLS} or field.field.startswith((METADATA, "item."))
        values = [one for one in field.values if one.kind == "value"]
        rows = sum(one.train_rows for one in values)
        many = field.field != ANSWER and rows < _LEAST_ON_AVERAGE * len(values)
        if makes_slices and len(values) > 1 and rows and not many:
            yield field, values


def _imbalance(field: LabelField, values: Sequence[ValueCount]) -> Imbalance:
    largest = max(values, key=lambda one: one.train_rows)
    smallest = min(values, key=lambda one: one.train_rows)
    bits = field.entropy_bits or 0.0
    return Imbalance(
        field=field.field,
        values=len(values),
        largest=largest.value or "",
        largest_rows=largest.train_rows,
        smallest=smallest.value or "",
        smallest_rows=smallest.train_rows,
        evenness=min(1.0, bits / log2(len(values))),
    )
