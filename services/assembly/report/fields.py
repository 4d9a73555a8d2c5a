"""The counts of a survey as the report shows them: labels, amounts, periods and topics."""

from __future__ import annotations

from collections.abc import Sequence

from assembly.report.features import DATE, DAYS, HOUR, WEEKDAY
from assembly.report.survey import TOPIC, Counted
from assembly.report.tally import Cell, Group, Labels, Table, counts_of, least_of
from distillations.report.fields import AmountField, Bin, LabelField, Period, Quantiles, Topic, ValueCount
from stats import entropy

_TIMES = (HOUR, WEEKDAY)
_MOST_BINS = 16
_MOST_PERIODS = 24
_SECONDS_A_DAY = 86_400
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def is_closed(field: str, labels: Labels) -> bool:
    """Whether a field has few values that come again: 200 at most, and each twice on average."""
    if field in _TIMES:
        return True
    cells = [cell for _, cell in labels.cells]
    rows = sum(cell.counts[Group.SELECTED] + cell.counts[Group.PRODUCTION] for cell in cells)
    return not labels.cells.full and len(cells) > 0 and (len(cells) == 1 or 2 * len(cells) <= rows)


def label_fields(table: Table) -> list[LabelField]:
    """Every field of labels, by name."""
    return [_label_field(field, labels, table) for field, labels in sorted(table.labels)]


def _label_field(field: str, labels: Labels, table: Table) -> LabelField:
    closed = is_closed(field, labels)
    values = [value_count(value, cell) for value, cell in labels.cells]
    values.sort(key=(lambda v: _time_order(field, v)) if field in _TIMES else _most_first)
    rest = [value_count(None, labels.long, "long"), value_count(None, absent(labels, table), "none")]
    shown = [*values, *(one for one in rest if one.selected or one.production)]
    return LabelField(
        field=field,
        closed=closed,
        distinct=labels.cells.distinct,
        distinct_is_estimate=labels.cells.full,
        entropy_bits=entropy(one.train_rows for one in shown) if closed else None,
        values=shown if closed else [],
    )


def _most_first(one: ValueCount) -> tuple[int, int, str]:
    return -one.selected, -one.production, one.value or ""


def _time_order(field: str, one: ValueCount) -> int:
    return DAYS.index(one.value or "") if field == WEEKDAY else int(one.value or 0)


def absent(labels: Labels, table: Table) -> Cell:
    """The rows that have no value of a field."""
    cell = Cell()
    known = [labels.long, *(one for _, one in labels.cells)]
    for group in Group:
        cell.counts[group] = table.totals[group] - sum(one.counts[group] for one in known)
    return cell


def value_count(value: str | None, cell: Cell, kind: str = "value") -> ValueCount:
    """A value with its counts."""
    return ValueCount.model_validate(
        {
            "value": value,
            "kind": kind,
            "production": cell.counts[Group.PRODUCTION],
            "selected": cell.counts[Group.SELECTED],
            "train_rows": cell.counts[Group.TRAIN_ROWS],
            "train_lines": cell.counts[Group.TRAIN_LINES],
            "validation_rows": cell.counts[Group.VALIDATION],
            "first_at": cell.first,
            "last_at": cell.last,
        }
    )


def amount_fields(table: Table) -> list[AmountField]:
    """Every field of numbers but the date, by name."""
    return [
        AmountField(
            field=field,
            rows=sum(counts_of(list(amounts.cells.values()), Group.TRAIN_LINES)),
            train=_quantiles(amounts.cells, Group.TRAIN_LINES),
            production=_quantiles(amounts.cells, Group.PRODUCTION),
            bins=_bins(amounts.cells),
        )
        for field, amounts in sorted(table.amounts.items())
        if field != DATE
    ]


def _quantiles(cells: dict[int, Cell], group: Group) -> Quantiles | None:
    counts = [(step, cells[step].counts[group]) for step in sorted(cells)]
    total = sum(count for _, count in counts)
    if not total:
        return None
    found, seen, shares = [], 0, list(_SHARES)
    for step, count in counts:
        seen += count
        while shares and seen >= shares[0] * total:
            found.append(round(_middle(step), 1))
            shares.pop(0)
    return Quantiles(p5=found[0], p25=found[1], median=found[2], p75=found[3], p95=found[4])


def _middle(step: int) -> float:
    """The amounts of a step are whole numbers, of which small steps have one."""
    low, high = -(-least_of(step) // 1), -(-least_of(step + 1) // 1) - 1
    return (low + max(low, high)) / 2


def _bins(cells: dict[int, Cell]) -> list[Bin]:
    """At most 16 ranges of equal width on the scale of the steps."""
    if not cells:
        return []
    first, last = min(cells), max(cells)
    width = -(-(last - first + 1) // _MOST_BINS)
    starts = range(first, last + 1, width)
    return [
        _bin(start, start + width, [cells[step] for step in cells if start <= step < start + width]) for start in starts
    ]


def _bin(start: int, end: int, cells: Sequence[Cell]) -> Bin:
    return Bin(
        low=round(least_of(start), 1),
        high=round(least_of(end), 1),
        production=sum(counts_of(cells, Group.PRODUCTION)),
        selected=sum(counts_of(cells, Group.SELECTED)),
        train_lines=sum(counts_of(cells, Group.TRAIN_LINES)),
    )


def periods(table: Table) -> list[Period]:
    """The time of all rows in at most 24 parts of as many days."""
    if DATE not in table.amounts:
        return []
    days = table.amounts[DATE].cells
    first, last = min(days), max(days)
    width = -(-(last - first + 1) // _MOST_PERIODS)
    shown = []
    for start in range(first, last + 1, width):
        cells = [cell for day, cell in days.items() if start <= day < start + width]
        shown.append(
            Period(
                begins_at=start * _SECONDS_A_DAY,
                ends_at=(start + width) * _SECONDS_A_DAY,
                production=sum(counts_of(cells, Group.PRODUCTION)),
                selected=sum(counts_of(cells, Group.SELECTED)),
                train_lines=sum(counts_of(cells, Group.TRAIN_LINES)),
            )
        )
    return shown


def topics(counted: Counted) -> list[Topic]:
    """The topics of the sample, the one with most questions first."""
    labels = counted.sampled.labels.get(TOPIC)
    if labels is None:
        return []
    values = sorted((value_count(name, cell) for name, cell in labels.cells), key=_most_first)
    return [
        Topic(
            words=counted.topics.words.get(one.value or "", []),
            production=one.production,
            selected=one.selected,
            train_rows=one.train_rows,
            train_lines=one.train_lines,
        )
        for one in values
    ]
