"""Quantiles of measured values.

In: values in ascending order, a share. Out: the value by nearest rank, which is one of them. No values, or a share
outside of (0, 1], raise ValueError.
"""

import math
from collections.abc import Sequence


def nearest_rank(ordered: Sequence[int], share: float) -> int:
    """The smallest value that at least this share of the values do not exceed."""
    if not ordered or not 0.0 < share <= 1.0:
        raise ValueError(f"there is no quantile {share!r} of {len(ordered)} values")
    # A product such as 0.07 * 100 lies a little above the whole number that it means.
    return ordered[math.ceil(share * len(ordered) - 1e-9) - 1]
