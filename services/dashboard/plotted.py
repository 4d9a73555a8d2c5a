"""Plots in a page: each an image that stands in the page itself, with its numbers beneath as a table."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import NamedTuple

from plots import Figure

_MOST_LETTERS = 120_000
"""The most letters that the plots of a page have together."""


class Plot(NamedTuple):
    """A plot as an image that stands in the page, and its numbers."""

    title: str
    description: str
    image: str
    head: list[str]
    rows: list[list[str]]


def plotted(figures: Iterable[Figure | None]) -> Iterable[Plot]:
    """The figures as plots, as many as a page can hold; those of nothing are left out."""
    room = _MOST_LETTERS
    for figure in figures:
        if figure is None:
            continue
        image = base64.b64encode(figure.svg.encode()).decode()
        rows = [list(map(str, row)) for row in figure.rows]
        room -= len(image) + sum(len(cell) for row in rows for cell in row)
        if room < 0:
            return
        yield Plot(figure.title, figure.description, f"data:image/svg+xml;base64,{image}", list(figure.head), rows)
