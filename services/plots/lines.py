"""Curves over steps: one line a series, such as the losses of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from plots.figure import Figure, shown
from plots.svg import COLOURS, FAINT, WIDTH, element, label, legend, number, picture

_LEFT, _RIGHT, _TOP, _TALL, _BELOW = 60.0, 16.0, 34.0, 170.0, 34.0


class Curve(NamedTuple):
    """A series: its name, and its points in the order of x."""

    name: str
    points: Sequence[tuple[float, float]]


def lines(title: str, description: str, x_name: str, curves: Sequence[Curve]) -> Figure | None:
    """The curves over a common axis; the vertical one goes from the least value to the largest, as losses need it."""
    curves = [curve for curve in curves if curve.points][: len(COLOURS)]
    points = [point for curve in curves for point in curve.points]
    if not points:
        return None
    first, last = min(number(x) for x, _ in points), max(number(x) for x, _ in points)
    low, high = min(number(y) for _, y in points), max(number(y) for _, y in points)
    # Values that come near 0 are seen beside it.
    low = 0.0 if 0 < low < high / 4 else low

    def across(x: float) -> float:
        return _LEFT + (number(x) - first) / ((last - first) or 1.0) * (WIDTH - _LEFT - _RIGHT)

    def up(y: float) -> float:
        return _TOP + _TALL * (1 - (number(y) - low) / ((high - low) or 1.0))

    bottom = _TOP + _TALL
    body = legend([curve.name for curve in curves], 16)
    for value in (low, (low + high) / 2, high):
        body += [
            element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=up(value), y2=up(value), stroke=FAINT),
            label(shown(round(value, 4)), _LEFT - 6, up(value), anchor="end"),
        ]
    for curve, colour in zip(curves, COLOURS, strict=False):
        corners = [f"{across(x):.1f},{up(y):.1f}" for x, y in curve.points]
        body.append(element("polyline", points=" ".join(corners), fill="none", stroke=colour, stroke_width=2))
        if len(corners) == 1:
            [(x, y)] = curve.points
            body.append(element("circle", cx=across(x), cy=up(y), r=3, fill=colour))
    body += [
        label(shown(first), _LEFT, bottom + 14, anchor="middle"),
        label(x_name, _LEFT + (WIDTH - _LEFT - _RIGHT) / 2, bottom + 14, anchor="middle"),
        label(shown(last), WIDTH - _RIGHT, bottom + 14, anchor="end"),
    ]
    return Figure(title, description, picture(title, description, bottom + _BELOW, body), *_table(x_name, curves))


def _table(x_name: str, curves: Sequence[Curve]) -> tuple[list[str], list[list[str]]]:
    values = [{number(x): number(y) for x, y in curve.points} for curve in curves]
    rows = [
        [shown(x), *(shown(round(series[x], 4)) if x in series else "" for series in values)]
        for x in sorted({x for series in values for x in series})
    ]
    return [x_name, *(curve.name for curve in curves)], rows
