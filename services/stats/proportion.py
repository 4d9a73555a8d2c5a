"""How well a share of passed rows is known.

In: rows passed and rows graded. Out: the interval that covers the true share. Impossible counts raise
ValueError.
"""

import math
from typing import NamedTuple

from stats.normal import two_sided_z


class Interval(NamedTuple):
    """A two-sided confidence interval, both ends included."""

    low: float
    high: float


def wilson(passed: int, total: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval, without continuity correction.

    Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22:209-212;
    recommended by Brown, Cai & DasGupta (2001), Statistical Science 16:101-133, formula (4). No rows say
    nothing: (0, 1).
    """
    if not 0 <= passed <= total:
        raise ValueError(f"passed must lie between 0 and total, got {passed} of {total}")
    z = two_sided_z(confidence)
    if total == 0:
        return Interval(0.0, 1.0)
    share = passed / total
    weight = z * z / total
    centre = (share + weight / 2.0) / (1.0 + weight)
    half = z / (1.0 + weight) * math.sqrt((share * (1.0 - share) + weight / 4.0) / total)
    # Where nothing or everything passed, that end is exactly 0 or 1; rounding would leave it beside.
    low = 0.0 if passed == 0 else max(0.0, centre - half)
    high = 1.0 if passed == total else min(1.0, centre + half)
    return Interval(low, high)
