"""Histograms: columns side by side, one a range, one colour a series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from plots.figure import Figure, shown
from plots.svg import COLOURS, FAINT, WIDTH, element, label, legend, number, picture

_LEFT, _RIGHT, _TOP, _TALL, _BELOW = 44.0, 12.0, 34.0, 150.0, 34.0
_MOST_TICKS = 8


class Column(NamedTuple):
    """A range by its name, and its value in each series."""

    name: str
    values: Sequence[float]


def histogram(title: str, description: str, series: Sequence[str], columns: Sequence[Column]) -> Figure | None:
    """Columns from 0 to the largest share: each series is drawn as shares of its own sum, and told in numbers."""
    if not columns:
        return None
    sums = [sum(max(0.0, number(column.values[place])) for column in columns) or 1.0 for place in range(len(series))]
    shares = [[max(0.0, number(v)) / sums[place] for place, v in enumerate(column.values)] for column in columns]
    most = max(max(row) for row in shares) or 1.0
    width = (WIDTH - _LEFT - _RIGHT) / len(columns)
    body = [*legend(series, 16), *_axis(most)]
    every = -(-len(columns) // _MOST_TICKS)
    for place, (column, row) in enumerate(zip(columns, shares, strict=True)):
        x = _LEFT + width * place
        body += [_column(x, width, row, number_, most) for number_ in range(len(series))]
        if place % every == 0:
            body.append(
                label(column.name, x + width * every / 2, _TOP + _TALL + 14, anchor="middle", width=width * every)
            )
    svg = picture(title, description, _TOP + _TALL + _BELOW, body)
    rows = [[column.name, *(shown(number(value)) for value in column.values)] for column in columns]
    return Figure(title, description, svg, ["", *series], rows)


def _axis(most: float) -> list[str]:
    lines = []
    for share in (0.0, most / 2, most):
        y = _TOP + _TALL * (1 - share / most)
        lines += [
            element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, stroke=FAINT),
            label(f"{share:.0%}", _LEFT - 6, y, anchor="end"),
        ]
    return lines


def _column(x: float, width: float, row: Sequence[float], place: int, most: float) -> str:
    thick = max(0.5, (width - 2) / len(row))
    height = _TALL * row[place] / most
    colour = COLOURS[place % len(COLOURS)]
    return element("rect", x=x + 1 + thick * place, y=_TOP + _TALL - height, width=thick, height=height, fill=colour)
