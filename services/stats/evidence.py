"""Evidence that a mean lies above a margin, which may be looked at after every observation.

In: how often each difference was observed, each from -1 to 1, and a margin. Out: the logarithm of an e-value, and the
interval of the mean that holds at all times at once. An ordinary p-value may be looked at once: looked at after each
answer it becomes small by chance sooner or later. An e-value does not: if the mean is at most the margin, it ever
exceeds 1 / alpha with probability alpha at most (Ville 1939).

Somebody starts with one dollar and bets a part of it on each difference being above the margin; what he has is the
e-value. He splits the dollar over several sizes of bets beforehand and never moves it between them. So the order of the
observations makes no difference: whoever has the counts has the evidence.

Waudby-Smith and Ramdas (2024), "Estimating means of bounded random variables by betting", Journal of the Royal
Statistical Society B 86:1-27, section 4, with bets that are fixed beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from stats.proportion import Interval

_BETS = (0.9, 0.5, 0.25, 0.12, 0.06, 0.03)
"""Parts of what he has that are lost if a difference is -1. Large ones find large effects soon."""
_HALVINGS = 40
"""Bisection: 2 / 2^40 is far below what anybody reads."""


def log_evidence(differences: Mapping[float, int], margin: float) -> float:
    """The logarithm of the e-value against "the mean is at most `margin`"; 0 without observations.

    Raises ValueError for a difference outside [-1, 1], a negative count, or a margin outside (-1, 1).
    """
    if not -1.0 < margin < 1.0:
        raise ValueError(f"the margin must lie between -1 and 1, got {margin}")
    for difference, count in differences.items():
        if not -1.0 <= difference <= 1.0 or count < 0:
            raise ValueError(f"a difference lies from -1 to 1 and is observed 0 times or more: {difference}, {count}")
    above = [(difference - margin, count) for difference, count in differences.items() if count]
    wealths = [_log_wealth(above, bet / (1.0 + margin)) for bet in _BETS]
    largest = max(wealths)
    return largest + math.log(math.fsum(math.exp(wealth - largest) for wealth in wealths) / len(_BETS))


def shows(differences: Mapping[float, int], margin: float, alpha: float) -> bool:
    """Whether the mean is above the margin, wrongly so with probability `alpha` at most, however often it is asked."""
    return log_evidence(differences, margin) >= -math.log(alpha)


def running_interval(differences: Mapping[float, int], confidence: float = 0.95) -> Interval:
    """The interval that holds the mean at all times at once, with this confidence; [-1, 1] without observations.

    Its ends are the margins that the evidence of either side just fails to exclude; each side may err with half of what
    the confidence leaves.
    """
    alpha = (1.0 - confidence) / 2.0
    mirrored = {-difference: count for difference, count in differences.items()}
    return Interval(_lower(differences, alpha), -_lower(mirrored, alpha))


def _log_wealth(above: list[tuple[float, int]], bet: float) -> float:
    """What one dollar has become, by its logarithm; `above` has by how much each difference is above the margin."""
    return math.fsum([count * math.log1p(bet * excess) for excess, count in above])


def _lower(differences: Mapping[float, int], alpha: float) -> float:
    """The largest margin that is excluded: evidence falls as the margin grows, since every bet wins less."""
    low, high = -1.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if shows(differences, middle, alpha):
            low = middle
        else:
            high = middle
    return low
