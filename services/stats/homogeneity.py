"""Whether two samples may be of one population, and how far apart chance alone would bring them.

In: counts by cell of both sides, and how exactly their shares are known. Out: Pearson's statistic, its p, and what
divergences chance alone gives. Cells that both sides lack do not count.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stats.gamma import gamma_quantile, gamma_tail

_LEAST_CELLS = 2
_LEAST_ROWS = 4
_USUAL = 0.05
_SIDES = 2
_ROUNDING = 1e-9


class Homogeneity(NamedTuple):
    """What speaks against one population, and what chance alone would give."""

    statistic: float
    p_value: float
    stability_noise: float
    """The population stability index that two samples of one population have on average."""
    stability_noise_95: float
    """The one that 19 of 20 such pairs stay below."""
    divergence_noise_95: float
    """The same for the Jensen-Shannon divergence, in bits."""


_ALIKE = Homogeneity(0.0, 1.0, 0.0, 0.0, 0.0)


def homogeneity(
    first: Sequence[float],
    second: Sequence[float],
    *,
    pooled: Sequence[float] | None = None,
    weights: Mapping[float, int] | None = None,
) -> Homogeneity:
    """Pearson's test of homogeneity, by the exact moments of its statistic over all ways to deal the rows to two sides.

    The moments are Dawson's (1954), "A simplified expression for the variance of the chi-square function on a
    contingency table", Biometrika 41:280; a gamma distribution with these moments stands for the statistic's, which a
    chi-square does not where cells have few rows. The population stability index of two samples of one population is
    about the statistic times the variance of the difference of two shares over p(1 - p), which is 1/m + 1/n for m and n
    rows: Yurdakul (2018), "Statistical Properties of Population Stability Index", Western Michigan University; the
    Jensen-Shannon divergence is that over 8 ln 2: Grosse et al. (2002), Physical Review E 65:041905.

    Rows may stand on both sides, or count several times on one. Then `pooled` has each row once, by cell, and `weights`
    the weights by which rows make the difference of two shares, with how many rows have each: 1/m for a row of the
    first side alone, -1/n for one of the second, 1/m - 1/n for one of both. The moments follow from their squares and
    fourth powers, as those of two separate sides do.
    """
    m, n = math.fsum(first), math.fsum(second)
    pooled = [a + b for a, b in zip(first, second, strict=True)] if pooled is None else pooled
    present = [(a, b, both) for a, b, both in zip(first, second, pooled, strict=True) if both > 0]
    if len(present) < _LEAST_CELLS or not m or not n:
        return _ALIKE
    weights = {1.0 / m: round(m), -1.0 / n: round(n)} if weights is None else weights
    rows, error = sum(weights.values()), math.fsum(count * z**2 for z, count in weights.items())
    if error <= 0.0 or rows < max(_LEAST_ROWS, len(present)):
        return _ALIKE
    shares = [both / math.fsum(pooled) for _, _, both in present]
    apart = [a / m - b / n for a, b, _ in present]
    statistic = math.fsum(d * d / share for d, share in zip(apart, shares, strict=True)) / error
    mean, variance = _moments(shares, weights, rows, error)
    # Where all rows stand on one side but for one, every way to deal them gives nearly the same.
    if variance <= mean * _ROUNDING:
        return _ALIKE
    shape, scale = mean * mean / variance, variance / mean
    p_value = gamma_tail(statistic, shape, scale)
    # Where one side is a few rows the gamma has nearly all its mass at 0, and would call any statistic a rare one.
    p_value = max(p_value, 0.5) if statistic <= mean else p_value
    usual = gamma_quantile(_USUAL, shape, scale) * error
    return Homogeneity(
        statistic=statistic,
        p_value=min(1.0, max(math.ulp(0.0), p_value)),
        stability_noise=mean * error,
        stability_noise_95=usual,
        divergence_noise_95=min(1.0, usual / (8.0 * math.log(2.0))),
    )


def _moments(shares: Sequence[float], weights: Mapping[float, int], rows: int, error: float) -> tuple[float, float]:
    """Mean and variance of the statistic; `shares` are those of the cells.

    Dawson has the sum of 1 / rows over both sides, which for two sides is the fourth powers over the squared squares of
    the weights, and three over all rows.
    """
    cells = len(shares)
    mean = rows * (cells - 1) / (rows - 1)
    inverse_sizes = math.fsum(count * z**4 for z, count in weights.items()) / error**2 + 3.0 / rows
    of_sides = (rows - _SIDES) / (rows - 1), (rows * inverse_sizes - _SIDES**2) / (rows - 2)
    of_cells = (cells - 1) * (rows - cells) / (rows - 1), (math.fsum(1.0 / p for p in shares) - cells**2) / (rows - 2)
    (v1, w1), (v2, w2) = of_sides, of_cells
    return mean, 2.0 * rows / (rows - 3) * (v1 - w1) * (v2 - w2) + rows**2 / (rows - 1) * w1 * w2
