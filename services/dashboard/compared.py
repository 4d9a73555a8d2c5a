"""Runs beside each other as a page shows them: a matrix of criteria and models, slices, and rows with every answer.

In: the API's documents of an eval, of its runs and of their comparisons with the base. Out: tables whose cells a
template writes down. No figure is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dashboard import graded
from dashboard.graded import GradedRow

_MOST_CELLS = 84
"""The most cells of a matrix: the more models there are, the fewer graders, those that come first."""
_MOST_SLICES = 20
_ROOM_OF_ROWS = 70_000
"""The bytes that the rows of a page have together."""
_LONGEST_ANSWER = 700
_LONGEST_REASON = 400
_MOST_GRADES = 8
_REFERENCE = "item.reference"
"""The tag whose value stands in a column of its own."""
_OF_A_GRADE = 160
"""The bytes of a grade beside its reason: its badge and its name."""


class Cell(NamedTuple):
    """One criterion of one run; `gain` and what follows it are None for the base, and where nothing is known."""

    rate: float | None
    rate_interval: Any
    gain: float | None = None
    interval: Any = None
    finding: str | None = None
    scores: Any = None


class Line(NamedTuple):
    """A criterion, with a cell for each run, the base first."""

    name: str
    cells: list[Cell]


class SliceLine(NamedTuple):
    """A slice, with the comparison of each other run; None where a run has too few rows of it."""

    key: str
    value: str
    rows: int
    cells: list[Any]


class Room(NamedTuple):
    """How much of each text there is room for in a page of rows, in bytes."""

    answer: int
    reason: int
    grades: int


class BesideRow(NamedTuple):
    """A row with what each run made of it; None where a run does not have the row."""

    outcome: str
    tags: Mapping[str, str]
    shown: GradedRow
    """The row of the first run that has it, for its question and its reference."""
    runs: list[GradedRow | None]


def matrix(eval_: Any, runs: Sequence[Any], comparisons: Sequence[Any]) -> list[Line]:
    """A line for all criteria together and one for each, of as many as a page holds."""
    statistics = runs[0]["statistics"]
    of_base = {part["testing_criteria"]: part for part in statistics["criteria"]}
    lines = [Line("All criteria", [_of_base(statistics), *map(_against_base, comparisons)])]
    for position, criterion in enumerate(eval_["testing_criteria"][: most_criteria(len(runs))]):
        cells = [_against_base(comparison and comparison["criteria"][position]) for comparison in comparisons]
        lines.append(Line(criterion["name"], [_of_base(of_base.get(criterion["id"])), *cells]))
    return lines


def most_criteria(runs: int) -> int:
    """How many graders the matrix of so many runs shows."""
    return _MOST_CELLS // runs


def slice_lines(comparisons: Sequence[Any]) -> list[SliceLine]:
    """The slices of all comparisons, in the order of the first that has them: the largest loss first."""
    known = [comparison["slices"] if comparison else [] for comparison in comparisons]
    by_place = [{(part["key"], part["value"]): part for part in parts} for parts in known]
    places = {(part["key"], part["value"]): part["rows"] for parts in known for part in parts}
    return [
        SliceLine(key, value, rows, [parts.get((key, value)) for parts in by_place])
        for (key, value), rows in list(places.items())[:_MOST_SLICES]
    ]


def beside(row: Any, criterion: str | None) -> BesideRow:
    """A row of the API's list; the grade of the chosen criterion stands first."""
    runs = [None if item is None else _chosen_first(graded.row(item), criterion) for item in row["items"]]
    shown = next(own for own in runs if own is not None)
    tags = {name: value for name, value in row["tags"].items() if name != _REFERENCE}
    return BesideRow(row["outcome"], tags, shown, runs)


def room(rows: Sequence[BesideRow]) -> Room:
    """How much of each text fits, so that a page of many models and many graders stays a page."""
    cells = [own for row in rows for own in row.runs if own is not None]
    grades = max((min(len(cell.grades), _MOST_GRADES) for cell in cells), default=1)
    each = _ROOM_OF_ROWS // max(1, len(cells) + 2 * len(rows))
    reasons = (each // 2 - grades * _OF_A_GRADE) // max(1, grades)
    return Room(min(_LONGEST_ANSWER, each // 2), max(40, min(_LONGEST_REASON, reasons)), _MOST_GRADES)


def _of_base(figures: Any) -> Cell:
    return Cell(figures["pass_rate"], figures["interval"]) if figures else Cell(None, None)


def _against_base(figures: Any) -> Cell:
    if not figures:
        return Cell(None, None)
    rate = figures["run"]
    return Cell(
        rate["pass_rate"],
        rate["interval"],
        figures["gain"],
        figures["interval"],
        figures["finding"],
        figures.get("scores"),
    )


def _chosen_first(row: GradedRow, criterion: str | None) -> GradedRow:
    return row._replace(grades=sorted(row.grades, key=lambda grade: grade.criterion != criterion))
