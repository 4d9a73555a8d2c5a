"""Scores summed up so that the sums of parts add up to the sum of the whole.

In: scores. Out: their number, mean, ends and central sums, which is all that the interval of a mean needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Self


class Moments(NamedTuple):
    """`m2` and `m3` are the sums of squared and cubed distances from the mean."""

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0
    m3: float = 0.0
    least: float = 0.0
    most: float = 0.0

    @classmethod
    def of(cls, scores: Iterable[float]) -> Self:
        total = cls()
        for score in scores:
            total = total.plus(cls(1, score, 0.0, 0.0, score, score))
        return total

    def plus(self, other: Self) -> Self:
        """Of both together: Pebay (2008), Sandia report SAND2008-6212, formulas (1.1), (1.6) and (1.7)."""
        if not self.n or not other.n:
            return self if self.n else other
        n = self.n + other.n
        apart = other.mean - self.mean
        m2 = self.m2 + other.m2 + apart**2 * self.n * other.n / n
        m3 = (
            self.m3
            + other.m3
            + apart**3 * self.n * other.n * (self.n - other.n) / n**2
            + 3.0 * apart * (self.n * other.m2 - other.n * self.m2) / n
        )
        mean = self.mean + apart * other.n / n
        return type(self)(n, mean, m2, m3, min(self.least, other.least), max(self.most, other.most))
