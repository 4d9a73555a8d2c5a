"""Critical values of the normal and of Student's t distribution.

In: a two-sided confidence level, and for t the degrees of freedom. Out: the positive critical value. A
level outside (0, 1) raises ValueError.
"""

import math
from statistics import NormalDist

STANDARD = NormalDist()
MIN_DEGREES_OF_FREEDOM = 5


def two_sided_z(confidence: float) -> float:
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence!r}")
    return STANDARD.inv_cdf((1.0 + confidence) / 2.0)


def two_sided_t(confidence: float, degrees: int) -> float:
    """Student's t by the expansion around the normal, Abramowitz & Stegun (1964), 26.7.5.

    At five degrees and 95% it is off by 0.0003, and closer with every further degree; below five it is
    refused.
    """
    if degrees < MIN_DEGREES_OF_FREEDOM:
        raise ValueError(f"the expansion needs at least {MIN_DEGREES_OF_FREEDOM} degrees, got {degrees}")
    z = two_sided_z(confidence)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / float(degrees) ** power for power, term in enumerate(terms, start=1))
