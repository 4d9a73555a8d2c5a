"""The verdict's figures computed a second way: from the raw answers, by scipy and by brute force.

In: rows won and lost. Out: the interval as the inversion of the score test under a numerically constrained likelihood
(Tango 1998), and the exact McNemar p as scipy's binomial test.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import pytest
from scipy import optimize, stats

from local.stack.info import StackInfo
from tests.stack import api

_Z = stats.norm.ppf(0.975)


class Figures(NamedTuple):
    """What a verdict says."""

    gain: float
    interval: tuple[float, float]
    p_value: float


def rows_of_verdict(stack: StackInfo, result: dict[str, Any]) -> int:
    """How many rows the verdict of a demo was reached by; each of its figures must be the oracle's."""
    verdict, paired = result["verdict"], api.paired_outcomes(stack, verdict_of=result)
    won = sum(distilled > baseline for baseline, distilled in paired)
    lost = sum(distilled < baseline for baseline, distilled in paired)
    expected = figures(len(paired), won, lost)
    assert verdict["gain"] == pytest.approx(expected.gain)
    assert verdict["interval"] == pytest.approx(expected.interval, abs=1e-6)
    assert verdict["p_value"] == pytest.approx(expected.p_value, rel=1e-9)
    assert verdict["outcome"] == outcome(expected)
    return len(paired)


def outcome(said: Figures) -> str:
    """The rules of a verdict with their defaults."""
    low, high = said.interval
    if low > 0 and said.p_value < 0.05:
        return "beats_baseline"
    if high < 0:
        return "worse"
    return "no_better" if high < 0.02 else "inconclusive"


def figures(rows: int, won: int, lost: int) -> Figures:
    discordant = won + lost
    p_value = float(stats.binomtest(won, discordant, 0.5).pvalue) if discordant else 1.0
    return Figures((won - lost) / rows, _interval(rows, won, lost), p_value)


def _interval(rows: int, won: int, lost: int) -> tuple[float, float]:
    gain = (won - lost) / rows
    low = optimize.brentq(lambda d: _statistic(rows, won, lost, d) - _Z, -1 + 1e-9, gain - 1e-12)
    high = optimize.brentq(lambda d: _statistic(rows, won, lost, d) + _Z, gain + 1e-12, 1 - 1e-9)
    return low, high


def _statistic(rows: int, won: int, lost: int, difference: float) -> float:
    share = _lost_share(rows, won, lost, difference)
    variance = rows * (2 * share + difference * (1 - difference))
    return (won - lost - rows * difference) / math.sqrt(max(variance, 1e-15))


def _lost_share(rows: int, won: int, lost: int, difference: float) -> float:
    """The share of lost rows that is likeliest where the true difference is this one."""

    def against(share: float) -> float:
        cells = (share + difference, share, 1 - 2 * share - difference)
        counts = (won, lost, rows - won - lost)
        return -sum(n * math.log(max(cell, 1e-300)) for n, cell in zip(counts, cells, strict=True) if n)

    bounds = (max(0.0, -difference), (1 - difference) / 2)
    minimum = optimize.minimize_scalar(against, bounds=bounds, method="bounded", options={"xatol": 1e-12})
    return float(min((*bounds, minimum.x), key=against))
