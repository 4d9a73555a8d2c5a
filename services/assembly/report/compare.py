"""Production beside what trains, and earlier beside later rows, field by field.

In: the counts of a survey, or the cells of fields. Out: for each field how far both are apart, whether that is more
than chance, and by which values. Of a survey, fields whose values are too many to count are not compared, nor is the
date.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from assembly.report.features import DATE
from assembly.report.fields import absent, is_closed, value_count
from assembly.report.survey import TOPIC, Counted
from assembly.report.tally import Cell, Group, Labels, Table, least_of
from distillations.report.comparison import Drift, FieldComparison, ShareChange
from distillations.report.fields import ValueCount
from stats import Homogeneity, holm, homogeneity, jensen_shannon, newcombe_interval, one_cell, population_stability

ALPHA = 0.01
"""The chance that two groups of one population are said to differ in any field."""
_LEAST_APPROXIMATE = 0.001
# Simulated with up to 40 cells and 50 rows on one side: so small a p comes up to twice as often, smaller ones more.
NOTICEABLE = 0.1
"""The population stability index from which on a difference is more than the eye skips."""
_MOST_CHANGES = 10
_MOST_BINS = 10
_LEAST_ROWS = 20
_BY_CHANCE = 0.05
_LEAST_SEEN = 2


type CellName = tuple[str, Literal["value", "long", "none"]]
type Separate = tuple[float, float]
"""Of both groups the share of the rows that say something by themselves: less where several are of one conversation."""


class Overlap(NamedTuple):
    """How rows count that stand in both groups of a field, or several times in one."""

    either: Sequence[int]
    """The rows of both groups by cell, each once."""
    weights: Mapping[float, int]
    """As `homogeneity` takes them."""


class Cells(NamedTuple):
    """One field as cells with the counts of both groups."""

    field: str
    kind: Literal["labels", "amounts", "topics"]
    names: Sequence[CellName]
    first: Sequence[int]
    second: Sequence[int]
    overlap: Overlap | None = None
    """None where each row stands once, in one of both groups."""
    separate: Separate = (1.0, 1.0)


def skew_of(counted: Counted) -> list[FieldComparison]:
    """Production beside what trains, the field that differs most first; empty without one of both."""
    groups = Group.PRODUCTION, Group.TRAIN_LINES
    if not all(counted.whole.totals[group] for group in groups):
        return []
    return compared(list(_fields(counted, *groups)))


def drift_of(counted: Counted) -> Drift | None:
    """The earlier beside the later half of what was selected; None for fewer than 20 rows."""
    if counted.whole.totals[Group.SELECTED] < _LEAST_ROWS:
        return None
    comparisons = compared(list(_fields(counted, Group.EARLY, Group.LATE)))
    ended: dict[str, list[ValueCount]] = {}
    began: dict[str, list[ValueCount]] = {}
    for comparison in comparisons:
        labels = counted.whole.labels.get(comparison.field)
        if comparison.differs and labels is not None:
            ended[comparison.field] = [one for one in _seen(labels) if _has_ended(one, counted)]
            began[comparison.field] = [one for one in _seen(labels) if _has_begun(one, counted)]
    return Drift(split_at=counted.times.half, fields=comparisons, ended=ended, began=began)


def _fields(counted: Counted, first: Group, second: Group) -> Iterator[Cells]:
    whole, sampled = counted.whole, counted.sampled
    for field, labels in sorted(whole.labels):
        if is_closed(field, labels):
            yield _of_labels(field, labels, whole, first=first, second=second)
    for field, amounts in sorted(whole.amounts.items()):
        if field != DATE:
            yield _of_amounts(field, amounts.cells, whole, first, second)
    topics = sampled.labels.get(TOPIC)
    if topics is not None:
        yield _of_labels(TOPIC, topics, sampled, first=first, second=second)


def _of_labels(field: str, labels: Labels, table: Table, *, first: Group, second: Group) -> Cells:
    cells: list[tuple[str, Literal["value", "long", "none"], Cell]] = [
        (value, "value", cell) for value, cell in sorted(labels.cells)
    ]
    cells += [("", "long", labels.long), ("", "none", absent(labels, table))]
    ours, theirs, either = ([cell.counts[group] for _, _, cell in cells] for group in (first, second, Group.EITHER))
    kind: Literal["labels", "topics"] = "topics" if field == TOPIC else "labels"
    overlap = _overlap(first, either, table)
    return Cells(field, kind, [(value, kind_) for value, kind_, _ in cells], ours, theirs, overlap)


def _of_amounts(field: str, cells: dict[int, Cell], table: Table, first: Group, second: Group) -> Cells:
    """Ranges with about as many rows each, both groups together, so that which group a row is of decides nothing."""
    groups = (first, second, Group.EITHER)
    least = sum(cell.counts[first] + cell.counts[second] for cell in cells.values()) / _MOST_BINS
    names: list[CellName] = []
    counts: list[list[int]] = []
    steps = sorted(cells)
    start, so_far = steps[0], [0, 0, 0]
    for place, step in enumerate(steps):
        so_far = [count + cells[step].counts[group] for count, group in zip(so_far, groups, strict=True)]
        is_last = place == len(steps) - 1
        if is_last or so_far[0] + so_far[1] >= least:
            names.append((_range(start, step), "value"))
            counts.append(so_far)
            start, so_far = step if is_last else steps[place + 1], [0, 0, 0]
    ours, theirs, either = ([count[place] for count in counts] for place in range(3))
    rest = [table.totals[group] - sum(column) for group, column in zip(groups, (ours, theirs, either), strict=True)]
    names.append(("", "none"))
    overlap = _overlap(first, [*either, rest[2]], table)
    return Cells(field, "amounts", names, [*ours, rest[0]], [*theirs, rest[1]], overlap)


def _overlap(first: Group, either: Sequence[int], table: Table) -> Overlap | None:
    """Production and what trains may have common rows; earlier and later rows have none."""
    return None if first != Group.PRODUCTION or table.is_plain else Overlap(either, table.weights)


def _range(first: int, last: int) -> str:
    return range_of(math.ceil(least_of(first)), math.ceil(least_of(last + 1)) - 1)


def range_of(low: int, high: int) -> str:
    """A range of amounts in words."""
    return f"{low:,}" if high <= low else f"{low:,} to {high:,}"


def compared(fields: Sequence[Cells], *, alpha: float = ALPHA, exact: bool = False) -> list[FieldComparison]:
    """Both groups in each field, the one that differs most first; what is the same everywhere is left out.

    `alpha` is the chance that two groups of one population are said to differ in any of the fields. With `exact` that
    holds for the smallest one, too: a p below one in a thousand has to be that of one cell by an exact test. Rows then
    stand in one group alone.
    """
    telling = [cells for cells in fields if _is_telling(cells)]
    results = [_result(cells, exact=exact) for cells in telling]
    adjusted = holm([result.p_value for result in results])
    comparisons = [
        _comparison(cells, result, p, alpha) for cells, result, p in zip(telling, results, adjusted, strict=True)
    ]
    return sorted(comparisons, key=lambda one: (not one.differs, one.adjusted_p_value, -one.psi, one.field))


def _is_telling(cells: Cells) -> bool:
    present = sum(a + b > 0 for a, b in zip(cells.first, cells.second, strict=True))
    return present > 1 and sum(cells.first) > 0 and sum(cells.second) > 0


def _result(cells: Cells, *, exact: bool) -> Homogeneity:
    if cells.overlap:
        return homogeneity(cells.first, cells.second, pooled=cells.overlap.either, weights=cells.overlap.weights)
    sides = zip(cells.separate, (cells.first, cells.second), strict=True)
    first, second = ([share * count for count in counts] for share, counts in sides)
    result = homogeneity(first, second)
    if not exact:
        return result
    exact_p = one_cell([round(a) for a in first], [round(b) for b in second])
    return result._replace(p_value=max(result.p_value, min(_LEAST_APPROXIMATE, exact_p)))


def _comparison(cells: Cells, result: Homogeneity, adjusted: float, alpha: float) -> FieldComparison:
    present = [place for place, both in enumerate(zip(cells.first, cells.second, strict=True)) if any(both)]
    first, second = [cells.first[place] for place in present], [cells.second[place] for place in present]
    psi = population_stability(first, second)
    differs = adjusted < alpha and psi > NOTICEABLE
    return FieldComparison(
        field=cells.field,
        kind=cells.kind,
        rows=sum(first),
        other_rows=sum(second),
        psi=psi,
        psi_noise=result.stability_noise,
        psi_noise_95=result.stability_noise_95,
        jensen_shannon=jensen_shannon(first, second),
        jensen_shannon_noise_95=result.divergence_noise_95,
        p_value=result.p_value,
        adjusted_p_value=adjusted,
        differs=differs,
        changes=changes_of(cells)[:_MOST_CHANGES] if differs else [],
    )


def changes_of(cells: Cells) -> list[ShareChange]:
    """The shares of each value in both groups, the one that has changed most first."""
    m, n = sum(cells.first), sum(cells.second)
    changes = [
        ShareChange(
            value=name,
            kind=kind,
            share=ours / m,
            other_share=theirs / n,
            interval=None if cells.overlap else newcombe_interval(theirs, n, ours, m),
        )
        for (name, kind), ours, theirs in zip(cells.names, cells.first, cells.second, strict=True)
        if ours + theirs
    ]
    return sorted(changes, key=lambda change: (-abs(change.other_share - change.share), change.value))


def _seen(labels: Labels) -> list[ValueCount]:
    """The values that were selected more than once, the one with most rows first."""
    counts = [value_count(value, cell) for value, cell in labels.cells if cell.counts[Group.SELECTED] >= _LEAST_SEEN]
    return sorted(counts, key=lambda one: (-one.selected, one.value or ""))


def _has_ended(one: ValueCount, counted: Counted) -> bool:
    """Whether chance would hardly put all its rows so early."""
    return counted.times.share_until(one.last_at or 0) ** one.selected < _BY_CHANCE


def _has_begun(one: ValueCount, counted: Counted) -> bool:
    return counted.times.share_from(one.first_at or 0) ** one.selected < _BY_CHANCE
