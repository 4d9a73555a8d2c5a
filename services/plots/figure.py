"""A plot with the numbers that it shows."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """An SVG, and the same numbers as a table."""

    title: str
    description: str
    """What is seen, for who cannot see it."""
    svg: str
    head: list[str]
    """The table's columns."""
    rows: list[list[str]]


def shown(value: float) -> str:
    """A number as people read it: whole ones with their thousands, others to three digits."""
    return f"{value:,.0f}" if value == int(value) else f"{value:.3g}"
