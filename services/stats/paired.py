"""Whether one model passes more rows than another, when both answered the same rows.

In: counts of the rows on which the two differ. Out: the gain with Tango's score interval, and the exact
McNemar p. Impossible counts raise ValueError.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from stats.binomial import lower_tail
from stats.normal import two_sided_z
from stats.proportion import Interval

# Bisection halves the bracket each time; after these it is narrower than a float near 1 can show.
_HALVINGS = 60
_SMALLEST_P = math.ulp(0.0)


@dataclass(frozen=True, slots=True)
class PairedCounts:
    """`n` common rows, of which only the first model passed `won` and only the second passed `lost`."""

    n: int
    won: int
    lost: int

    def __post_init__(self) -> None:
        if min(self.n, self.won, self.lost) < 0:
            raise ValueError(f"counts must not be negative: {self}")
        if self.won + self.lost > self.n:
            raise ValueError(f"more rows won and lost than there are rows: {self}")

    @classmethod
    def of(cls, pairs: Iterable[tuple[bool, bool]]) -> Self:
        """Count pairs (first passed, second passed), one for each common row."""
        n = won = lost = 0
        for first, second in pairs:
            n += 1
            won += first and not second
            lost += second and not first
        return cls(n=n, won=won, lost=lost)

    @property
    def gain(self) -> float:
        """(won - lost) / n, the difference of the two pass rates; 0 without rows."""
        return (self.won - self.lost) / self.n if self.n else 0.0

    @property
    def discordance(self) -> float:
        """Share of rows on which the two differ; 0 without rows."""
        return (self.won + self.lost) / self.n if self.n else 0.0


def tango_interval(counts: PairedCounts, confidence: float = 0.95) -> Interval:
    """Score interval for the difference of two paired proportions.

    Tango (1998), "Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design", Statistics in Medicine 17:891-908, formulas (24)-(26): all differences that the
    score test does not reject. Edges: no rows give (-1, 1); won = n ends at exactly 1, lost = n begins at
    exactly -1; no discordant row gives -/+ z^2 / (n + z^2), never a width of zero.
    """
    z = two_sided_z(confidence)
    swapped = PairedCounts(n=counts.n, won=counts.lost, lost=counts.won)
    # One routine for both ends makes the interval exactly antisymmetric in the two models.
    return Interval(_lower_limit(counts, z), -_lower_limit(swapped, z))


def _lower_limit(counts: PairedCounts, z: float) -> float:
    """Bisect between -1, which is rejected unless every row is lost, and the estimate, which never is."""
    if counts.n in (0, counts.lost):
        return -1.0
    rejected, accepted = -1.0, counts.gain
    for _ in range(_HALVINGS):
        middle = (rejected + accepted) / 2.0
        if gain_is_above(counts, middle, z):
            rejected = middle
        else:
            accepted = middle
    return accepted


def gain_is_above(counts: PairedCounts, difference: float, z: float) -> bool:
    """Whether Tango's interval with this z lies above a difference: his statistic (24) exceeds z there.

    It is not divided by its error, which may be 0.
    """
    lost_share = _constrained_lost_share(counts, difference)
    variance = max(0.0, 2.0 * lost_share + difference * (1.0 - difference))
    return counts.won - counts.lost - counts.n * difference > z * math.sqrt(counts.n * variance)


def _constrained_lost_share(counts: PairedCounts, difference: float) -> float:
    """Likeliest share of lost rows if the true difference were this one: the larger root in (25), (26)."""
    n, won, lost = counts.n, counts.won, counts.lost
    a = 2.0 * n
    b = (a - won + lost) * difference - won - lost
    c = -lost * difference * (1.0 - difference)
    root = math.sqrt(max(0.0, b * b - 4.0 * a * c))
    # The textbook root subtracts nearly equal numbers when b > 0; its conjugate does not.
    share = -2.0 * c / (b + root) if b > 0.0 else (root - b) / (2.0 * a)
    return min(max(share, 0.0, -difference), (1.0 - difference) / 2.0)


def mcnemar_exact(won: int, lost: int) -> float:
    """Two-sided exact p of McNemar's test: the sign test on the discordant rows.

    McNemar (1947), Psychometrika 12:153-157, with the binomial instead of the chi-square: twice the smaller
    tail of Binomial(won + lost, 1/2), at most 1. Never 0: a p below the smallest float is that float.
    """
    if min(won, lost) < 0:
        raise ValueError(f"counts must not be negative, got {won} and {lost}")
    if won == lost:
        return 1.0
    return max(_SMALLEST_P, min(1.0, 2.0 * lower_tail(min(won, lost), won + lost, 0.5)))


def clustered_p(differences_by_cluster: Iterable[float]) -> float:
    """Two-sided p of paired passes whose rows come in groups; in: won - lost of each group.

    Durkalski, Palesch, Lipsitz & Rust (2003), "Analysis of clustered matched-pair data", Statistics in Medicine
    22:2417-2428, formula (5): the sum over the root of the squares is normal if neither model is better. Groups that
    are level say nothing. A p below the smallest float is that float.
    """
    total = squares = 0.0
    for difference in differences_by_cluster:
        total += difference
        squares += difference**2
    if squares == 0.0:
        return 1.0
    return max(_SMALLEST_P, math.erfc(abs(total) / math.sqrt(2.0 * squares)))
