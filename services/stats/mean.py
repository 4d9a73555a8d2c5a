"""How well a mean of scores is known, from sums alone.

In: the moments of the scores. Out: the interval that the BCa bootstrap would give with endless draws, up to terms
of the order 1/n of its width. None means that so few scores cannot carry one.
"""

import math

from stats.moments import Moments
from stats.normal import MIN_DEGREES_OF_FREEDOM, two_sided_t
from stats.proportion import Interval

_LEAST_SCORES = MIN_DEGREES_OF_FREEDOM + 1
_POLE = 1e-12


def mean_interval(scores: Moments, confidence: float = 0.95) -> Interval | None:
    """Interval of the true mean; None with fewer than six scores.

    Few scores make any bootstrap too narrow, so that Student's quantile stands for the normal one: Hesterberg
    (2015), "What Teachers Should Know About the Bootstrap", The American Statistician 69:371-386.
    """
    if scores.n < _LEAST_SCORES:
        return None
    return bca_expansion(scores, two_sided_t(confidence, scores.n - 1) * math.sqrt(scores.n / (scores.n - 1)))


def bca_expansion(scores: Moments, z: float) -> Interval:
    """The BCa interval of a mean, with the bootstrap distribution by its expansion instead of by draws.

    Of a mean, bias and acceleration are both the skewness over 6 sqrt(n): Efron (1987), "Better bootstrap
    confidence intervals", JASA 82:171-185, section 4. Its quantiles are Cornish's and Fisher's, as in Hall (1992),
    "The Bootstrap and Edgeworth Expansion", section 2.5. Never beyond the least and the greatest score, as no draw
    is. Equal scores have no width.
    """
    if scores.m2 <= 0.0:
        return Interval(scores.mean, scores.mean)
    error = math.sqrt(scores.m2) / scores.n
    # m3 / n over the cubed deviation, over 6 sqrt(n).
    shift = scores.m3 / (6.0 * scores.m2 * math.sqrt(scores.m2))

    def end(side: float) -> float:
        level = shift + (shift + side) / max(1.0 - shift * (shift + side), _POLE)
        moved = scores.mean + error * (level + shift * (level**2 - 1.0))
        return min(max(moved, scores.least), scores.most)

    return Interval(end(-z), end(z))
