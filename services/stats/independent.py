"""Whether some rows of a run pass more often than its other rows.

In: passed and graded rows of both parts. Out: Fisher's exact p, and the interval of the difference. Impossible
counts raise ValueError.
"""

import math

from stats.proportion import Interval, wilson

_SMALLEST_P = math.ulp(0.0)
# Tables as likely as the observed one differ from it by rounding only; R and scipy use the same allowance.
_SLACK = 1e-7
_NEGLIGIBLE = 1e-18


def fisher_exact(passed: int, total: int, other_passed: int, other_total: int) -> float:
    """Two-sided exact p that both parts pass equally often, given how many rows pass in all.

    Fisher (1935), "The Logic of Inductive Inference", Journal of the Royal Statistical Society 98:39-82; two-sided
    as in R's fisher.test: all tables that are no likelier than this one. Exact however small a slice is, where a
    normal test is not. Never 0: a p below the smallest float is that float.
    """
    _check(passed, total)
    _check(other_passed, other_total)
    n, passes = total + other_total, passed + other_passed
    low, high = max(0, passes - other_total), min(passes, total)
    if low == high:
        return 1.0
    observed = _log_mass(passed, total, passes, n)
    limit = observed + _SLACK
    mode = (total + 1) * (passes + 1) // (n + 2)
    tails = _tail(range(mode, high + 1), limit, total, passes, n) + _tail(
        range(mode - 1, low - 1, -1), limit, total, passes, n
    )
    return max(_SMALLEST_P, min(1.0, math.fsum(tails)))


def newcombe_interval(passed: int, total: int, other_passed: int, other_total: int) -> Interval:
    """Interval of the difference of two independent shares, first - other.

    Newcombe (1998), "Interval estimation for the difference between independent proportions: comparison of eleven
    methods", Statistics in Medicine 17:873-890, method 10: both Wilson intervals, squared and added. Without rows on
    one side it is as wide as that side allows.
    """
    ours, theirs = wilson(passed, total), wilson(other_passed, other_total)
    share = passed / total if total else 0.5
    other = other_passed / other_total if other_total else 0.5
    gain = share - other
    return Interval(
        max(-1.0, gain - math.hypot(share - ours.low, theirs.high - other)),
        min(1.0, gain + math.hypot(ours.high - share, other - theirs.low)),
    )


def _check(passed: int, total: int) -> None:
    if not 0 <= passed <= total:
        raise ValueError(f"passed must lie between 0 and total, got {passed} of {total}")


def _log_mass(passed: int, total: int, passes: int, n: int) -> float:
    """Of the hypergeometric distribution: so many passes among `total` of `n` rows, of which `passes` pass."""
    return _log_ways(total, passed) + _log_ways(n - total, passes - passed) - _log_ways(n, passes)


def _log_ways(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _tail(outwards: range, limit: float, total: int, passes: int, n: int) -> list[float]:
    """The masses at or under the limit; outwards from the mode each is smaller than the one before."""
    masses: list[float] = []
    largest = 0.0
    start = _first_under(outwards, limit, total, passes, n)
    for passed in outwards[start:]:
        mass = math.exp(_log_mass(passed, total, passes, n))
        masses.append(mass)
        largest = max(largest, mass)
        if mass <= largest * _NEGLIGIBLE:
            break
    return masses


def _first_under(outwards: range, limit: float, total: int, passes: int, n: int) -> int:
    low, high = 0, len(outwards)
    while low < high:
        middle = (low + high) // 2
        if _log_mass(outwards[middle], total, passes, n) <= limit:
            high = middle
        else:
            low = middle + 1
    return low
