"""Words that go with numbers."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """So many things of a kind, such as `1 row` and `2 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
