"""Values on a line, each beside the range that is expected of it: a point, and a band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from plots.figure import Figure, shown
from plots.svg import COLOURS, FAINT, LINE, WIDTH, element, label, number, picture

_LABELS, _RIGHT, _TOP, _BELOW = 210.0, 20.0, 12.0, 28.0


class Mark(NamedTuple):
    """A value, and the ends of its interval."""

    label: str
    value: float
    low: float
    high: float


def intervals(title: str, description: str, head: Sequence[str], marks: Sequence[Mark]) -> Figure | None:
    """Each mark on a line. `head` names the label, the value, and both ends of the interval."""
    if not marks:
        return None
    ends = [number(end) for mark in marks for end in mark[1:]]
    low, high = min(0.0, *ends), max(ends)
    room = (WIDTH - _LABELS - _RIGHT) / ((high - low) or 1.0)

    def at(value: float) -> float:
        return _LABELS + (number(value) - low) * room

    bottom = _TOP + LINE * len(marks)
    body = [element("line", x1=at(0.0), x2=at(0.0), y1=_TOP, y2=bottom, stroke=FAINT)]
    for place, mark in enumerate(marks):
        y = _TOP + LINE * (place + 0.5)
        outside = not mark.low <= mark.value <= mark.high
        body += [
            label(mark.label, _LABELS - 8, y, anchor="end", width=_LABELS - 12),
            element(
                "rect", x=at(mark.low), y=y - 4, width=max(1.0, at(mark.high) - at(mark.low)), height=8, fill=FAINT
            ),
            element("circle", cx=at(mark.value), cy=y, r=4, fill=COLOURS[1 if outside else 0]),
        ]
    body += [label(shown(round(end, 2)), at(end), bottom + 12, anchor="middle") for end in (low, high)]
    svg = picture(title, description, bottom + _BELOW, body)
    rows = [[mark.label, *(shown(round(number(value), 3)) for value in mark[1:])] for mark in marks]
    return Figure(title, description, svg, list(head), rows)
