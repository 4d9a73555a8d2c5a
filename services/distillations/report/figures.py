"""The plots of a report: slices, lengths, time, topics, and how far fields are from production.

In: a report. Out: its figures in the order in which they are shown, for Markdown and for pages.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from distillations.report.comparison import FieldComparison
from distillations.report.document import DatasetReport
from distillations.report.fields import AmountField, LabelField, Period, Topic, ValueCount
from plots import Bar, Column, Figure, Mark, bars, histogram, intervals

MOST_BARS = 20
_MOST_FIELDS = 12
_MOST_COMPARED = 20
_OURS, _THEIRS = "training lines", "recent traffic"
KINDS = {"long": "(longer than 64 characters)", "none": "(none)"}
"""How rows are called that have no short value."""


def figures(report: DatasetReport) -> list[Figure]:
    """All figures that have something to show."""
    return [*skew_figures(report), *slice_figures(report), *length_figures(report), *time_figures(report)]


def skew_figures(report: DatasetReport) -> list[Figure]:
    """How far each field is from production, and from itself over time."""
    drift = report.drift.fields if report.drift else []
    return _present(
        _apart("Recent traffic and what trains", report.skew, "recent traffic and the training lines"),
        _apart("Earlier and later completions", drift, "the earlier and the later half of what was selected"),
    )


def slice_figures(report: DatasetReport) -> list[Figure]:
    """The values of each closed field, and the topics."""
    several = [field for field in report.labels if len(field.values) > 1]
    return _present(*(_values(field, report) for field in several[:_MOST_FIELDS]), _topics(report.topics, report))


def length_figures(report: DatasetReport) -> list[Figure]:
    """The amounts of each field of numbers."""
    return _present(*(_amounts(field, report) for field in report.amounts if len(field.bins) > 1))


def time_figures(report: DatasetReport) -> list[Figure]:
    """When the completions were captured."""
    return _present(_periods(report.periods, report) if len(report.periods) > 1 else None)


def _present(*made: Figure | None) -> list[Figure]:
    return [figure for figure in made if figure]


def _apart(title: str, comparisons: Sequence[FieldComparison], of: str) -> Figure | None:
    description = (
        f"The population stability index of each field between {of}: a point, orange where it is beyond the grey band "
        "of what chance gives in 19 of 20 cases."
    )
    marks = [Mark(one.field, one.psi, 0.0, one.psi_noise_95) for one in comparisons[:_MOST_COMPARED]]
    return intervals(title, description, ["field", "index", "chance from", "chance to"], marks)


def name_of(one: ValueCount) -> str:
    """A value as people read it."""
    return one.value if one.kind == "value" and one.value is not None else KINDS.get(one.kind, "")


def _values(field: LabelField, report: DatasetReport) -> Figure | None:
    series, totals = _series(report)
    # Times keep their order; of others the most frequent come first already.
    lines = [Bar(name_of(one), _shares([one.train_lines, one.production], totals)) for one in field.values[:MOST_BARS]]
    more = len(field.values) - len(lines)
    description = f"The share of each value of {field.field}{f'; {more} more are not shown' if more > 0 else ''}."
    return bars(field.field, description, series, lines, percent=True)


def _topics(topics: Sequence[Topic], report: DatasetReport) -> Figure | None:
    series, _ = _series(report)
    totals = [sum(one.train_lines for one in topics), sum(one.production for one in topics)]
    lines = [
        Bar(", ".join(one.words) or "(other words)", _shares([one.train_lines, one.production], totals))
        for one in topics
    ]
    description = "The share of questions with the same words, of a sample of 1,000 of each side."
    return bars(
        "topics", description, series, [Bar(line.label, line.values[: len(series)]) for line in lines], percent=True
    )


def _series(report: DatasetReport) -> tuple[list[str], list[int]]:
    """The groups that are shown, and how many rows each has."""
    if report.production is None:
        return [_OURS], [report.train_lines]
    return [_OURS, _THEIRS], [report.train_lines, report.production.rows]


def _shares(counts: Sequence[int], totals: Sequence[int]) -> list[float]:
    return [count / total if total else 0.0 for count, total in zip(counts, totals, strict=False)]


def _amounts(field: AmountField, report: DatasetReport) -> Figure | None:
    series, _ = _series(report)
    columns = [Column(f"{one.low:,.0f}", [one.train_lines, one.production][: len(series)]) for one in field.bins]
    description = f"The share of rows by {field.field}; each column begins at its number."
    return histogram(field.field, description, series, columns)


def _periods(periods: Sequence[Period], report: DatasetReport) -> Figure | None:
    series, _ = _series(report)
    columns = [Column(_day(one.begins_at), [one.train_lines, one.production][: len(series)]) for one in periods]
    description = "The share of rows by the day of their capture; each column begins at its day."
    return histogram("time", description, series, columns)


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at))
