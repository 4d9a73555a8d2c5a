"""A learning curve: how the share of passed rows grows with the examples, and what more of them would bring.

In: points `(examples, passed, rows)` of one student, measured on the same rows. Out: the curve and the gain at more
examples, with its 95% interval. None means that these points carry no curve.

The curve is the inverse power law of Cortes, Jackel, Solla, Vapnik & Denker (1994), "Learning curves: asymptotic values
and rate of convergence", NIPS 6; Hestness et al. (2017), "Deep learning scaling is predictable, empirically",
arXiv:1712.00409, find it in language, speech and vision. With n the most examples that were measured, the error is

    error(m) = floor + scale * (m / n)^-rate,    0 <= floor,    0.05 <= rate <= 1,

and the gain of k times the examples is scale * (1 - k^-rate), whatever the floor is. The scale may be negative: what
more examples take away is told, too. The curve has the least chi-squared over a grid of rates; at each rate floor and
scale are those of least squares, each error weighted by the inverse of its binomial variance.

The interval is that of the profile likelihood (Venzon & Moolgavkar 1988, Applied Statistics 37:87-94): all gains of
curves whose chi-squared is at most 3.84 above the least, the 95% point of one degree of freedom. Points that share
their rows, as here, differ by less chance than points that do not, so the interval is rather too wide than too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stats.normal import two_sided_z
from stats.proportion import Interval

_RATES = tuple(number / 40 for number in range(2, 41))
_LEAST_POINTS = 3
_CONFIDENCE = 0.95


class CurvePoint(NamedTuple):
    """What a student that learnt from so many examples passed, of so many rows."""

    examples: int
    passed: int
    rows: int


class Forecast(NamedTuple):
    """What `times` the examples would bring: a share of the rows, with the 95% interval, and the curve behind it.

    `floor` is the error that no number of examples takes away, `scale` what is above it at the most examples that were
    measured, and `rate` how fast that falls.
    """

    times: float
    gain: float
    interval: Interval
    floor: float
    scale: float
    rate: float


def forecast(points: Sequence[CurvePoint], times: float = 2.0) -> Forecast | None:
    """The gain of `times` the most examples of the points; None with fewer than three numbers of them, or without rows.

    Raises ValueError where `times` is not above 1.
    """
    if times <= 1:
        raise ValueError("more examples are more than one time those that were measured")
    if len({point.examples for point in points}) < _LEAST_POINTS or not all(point.rows > 0 for point in points):
        return None
    fits = [_Fit(points, rate) for rate in _RATES]
    best = min(fits, key=lambda fit: fit.least)
    most = best.least + two_sided_z(_CONFIDENCE) ** 2
    gains = [scale * (1 - times**-fit.rate) for fit in fits for scale in fit.scales_within(most)]
    gain = best.scale * (1 - times**-best.rate)
    # A share of the rows is at most what is missing.
    interval = Interval(max(-1.0, min(gains)), min(1.0, max(gains)))
    return Forecast(times, gain, interval, best.floor(best.scale), best.scale, best.rate)


class _Fit:
    """Floor and scale by weighted least squares at one rate, the floor not below 0.

    For a scale the best floor is `max(0, mean of the errors - scale * mean of the powers)`. So chi-squared is one
    parabola of the scale as long as that is positive, and another one beyond.
    """

    def __init__(self, points: Sequence[CurvePoint], rate: float) -> None:
        most = max(point.examples for point in points)
        self.rate = rate
        self._x = [math.pow(point.examples / most, -rate) for point in points]
        self._y = [1 - point.passed / point.rows for point in points]
        self._weights = [1 / _variance(point) for point in points]
        whole = sum(self._weights)
        self._mean_x = sum(w * x for w, x in zip(self._weights, self._x, strict=True)) / whole
        self._mean_y = sum(w * y for w, y in zip(self._weights, self._y, strict=True)) / whole
        self._free, self._bounded = self._parabola(self._mean_x, self._mean_y), self._parabola(0.0, 0.0)
        # Above this scale the floor would be below 0.
        self._turn = self._mean_y / self._mean_x
        self.scale = self._free[0] if self._free[0] <= self._turn else max(self._turn, self._bounded[0])
        self.least = self._chi_squared(self.scale)

    def floor(self, scale: float) -> float:
        return max(0.0, self._mean_y - scale * self._mean_x)

    def scales_within(self, most: float) -> Iterator[float]:
        """Both ends of the scales whose chi-squared is at most this; nothing where there is none."""
        for (vertex, curvature, least), below in ((self._free, True), (self._bounded, False)):
            if least <= most:
                half = math.sqrt((most - least) / curvature)
                yield from (end for end in (vertex - half, vertex + half) if (end <= self._turn) == below)

    def _parabola(self, x0: float, y0: float) -> tuple[float, float, float]:
        """The scale with the least chi-squared of lines through (x0, y0), the curvature there, and that chi-squared."""
        xx = sum(w * (x - x0) ** 2 for w, x in zip(self._weights, self._x, strict=True))
        xy = sum(w * (x - x0) * (y - y0) for w, x, y in zip(self._weights, self._x, self._y, strict=True))
        yy = sum(w * (y - y0) ** 2 for w, y in zip(self._weights, self._y, strict=True))
        return xy / xx, xx, max(0.0, yy - xy * xy / xx)

    def _chi_squared(self, scale: float) -> float:
        vertex, curvature, least = self._free if scale <= self._turn else self._bounded
        return least + curvature * (scale - vertex) ** 2


def _variance(point: CurvePoint) -> float:
    """The binomial variance of a share, never 0: one row more is taken to be passed, and one not."""
    share = (point.passed + 1) / (point.rows + 2)
    return share * (1 - share) / point.rows
