"""Horizontal bars: one label a line, one bar a series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from plots.figure import Figure, shown
from plots.svg import COLOURS, FAINT, LINE, WIDTH, element, label, legend, number, picture

_LABELS = 210.0
_VALUES = 70.0
_TOP = 34.0
_BAR = 9.0


class Bar(NamedTuple):
    """A label, and its value in each series."""

    label: str
    values: Sequence[float]


def bars(
    title: str, description: str, series: Sequence[str], lines: Sequence[Bar], *, percent: bool = False
) -> Figure | None:
    """Bars from 0 to the largest value. With `percent`, values are shares from 0 to 1."""
    if not lines:
        return None
    values = [[max(0.0, number(value)) for value in line.values] for line in lines]
    most = max((value for row in values for value in row), default=0.0) or 1.0
    written = [[f"{value:.1%}" if percent else shown(value) for value in row] for row in values]
    step = max(LINE, _BAR * len(series) + 8)
    body = legend(series, 16)
    for place, (line, row, texts) in enumerate(zip(lines, values, written, strict=True)):
        y = _TOP + step * place
        body += [
            label(line.label, _LABELS - 8, y + step / 2, anchor="end", width=_LABELS - 12),
            element("line", x1=_LABELS, x2=WIDTH - 10, y1=y + step, y2=y + step, stroke=FAINT),
        ]
        for number_, (value, text) in enumerate(zip(row, texts, strict=True)):
            length = value / most * (WIDTH - _LABELS - _VALUES)
            top = y + 4 + _BAR * number_
            body += [
                element("rect", x=_LABELS, y=top, width=length, height=_BAR - 1, fill=COLOURS[number_ % len(COLOURS)]),
                element(
                    "text", text, x=_LABELS + length + 4, y=top + _BAR / 2, font_size=9, dominant_baseline="middle"
                ),
            ]
    svg = picture(title, description, _TOP + step * len(lines) + 10, body)
    rows = [[line.label, *texts] for line, texts in zip(lines, written, strict=True)]
    return Figure(title, description, svg, ["", *series], rows)
