"""Intervals by resampling, where no formula gives them: score differences, grouped rows, a ratio of gains.

In: paired scores, differences by group, or rows of three 0/1 outcomes, with the seed of the draws. Out: a
BCa interval; the same rows and seed give the same interval, in whatever order the rows come. None means
that these rows cannot carry an interval; wrong arguments raise ValueError.

BCa: Efron (1987), "Better bootstrap confidence intervals", JASA 82:171-185; in the form of Efron &
Tibshirani (1993), "An Introduction to the Bootstrap", section 14.3, formulas (14.9)-(14.15).
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import mul
from random import Random
from typing import NamedTuple

from stats.mean import bca_expansion
from stats.moments import Moments
from stats.normal import MIN_DEGREES_OF_FREEDOM, STANDARD, two_sided_t, two_sided_z
from stats.paired import PairedCounts, tango_interval
from stats.proportion import Interval

# With g groups, all of them are better by chance alone with chance 2^-g: fewer than six cannot show 2.5%.
MIN_CLUSTERS = MIN_DEGREES_OF_FREEDOM + 1

# A binomial draw costs about as much as drawing this many single rows.
_ROWS_PER_BINOMIAL = 14
# Ten thousand draws of 1,000 rows take 1.2 s. For more rows the expansion is more exact than that many draws.
_MOST_DRAWN = 1_000
_MIN_PAIRS = 2
# Equal sums of floats taken in another order differ by less than this share.
_ROUNDING = 1e-12


class RowPasses(NamedTuple):
    """Which of the three models passed one row."""

    teacher: bool
    baseline: bool
    distilled: bool


def paired_bca(
    first: Sequence[float],
    second: Sequence[float],
    *,
    seed: int,
    draws: int = 10_000,
    confidence: float = 0.95,
) -> Interval:
    """Interval of the mean of first - second, paired by position; rows are resampled as pairs.

    Needs at least two pairs. Where every pair differs by the same amount the interval is that amount alone. Over
    1,000 pairs of many distinct differences it is computed without draws, by `bca_expansion`.
    """
    differences = sorted(a - b for a, b in zip(first, second, strict=True))
    if len(differences) < _MIN_PAIRS:
        raise ValueError("a bootstrap needs at least two pairs")
    _check(draws, differences)
    z = two_sided_z(confidence)
    n = len(differences)
    if _cost(differences) > _MOST_DRAWN:
        return bca_expansion(Moments.of(differences), z)
    mean = math.fsum(differences) / n
    sums = _resampled_sums(differences, draws, Random(seed))
    influences = [difference - mean for difference in differences]
    return _bca([total / n for total in sums], mean, _acceleration(influences), z)


def cluster_interval(
    differences_by_cluster: Mapping[str, Sequence[float]],
    *,
    seed: int,
    draws: int = 10_000,
    confidence: float = 0.95,
) -> Interval | None:
    """Interval of the mean difference over all rows, whose groups are resampled whole.

    For rows that depend on each other within a group, such as turns of one conversation.

    Davison & Hinkley (1997), "Bootstrap Methods and their Application", section 3.8. Few groups make any
    bootstrap too narrow, so that the normal quantile is replaced by Student's with sqrt(g / (g - 1)):
    Hesterberg (2015), "What Teachers Should Know About the Bootstrap", The American Statistician 69:371-386
    (the "expanded" interval). None with fewer than six groups that have rows. Over 1,000 groups of many kinds it is
    computed without draws, by the expansion of the mean of their influences.
    """
    # Sum and size of a group as one complex number: a draw adds both at once.
    clusters = sorted(
        (complex(math.fsum(rows), len(rows)) for rows in differences_by_cluster.values() if rows),
        key=lambda cluster: (cluster.real, cluster.imag),
    )
    _check(draws, [cluster.real for cluster in clusters])
    g = len(clusters)
    two_sided_z(confidence)
    if g < MIN_CLUSTERS:
        return None
    whole = sum(clusters)
    mean = whole.real / whole.imag
    z = two_sided_t(confidence, g - 1) * math.sqrt(g / (g - 1))
    if _cost(clusters) > _MOST_DRAWN:
        size = whole.imag / g
        influences = Moments.of((cluster.real - mean * cluster.imag) / size for cluster in clusters)
        around_zero = bca_expansion(influences, z)
        return Interval(mean + around_zero.low, mean + around_zero.high)
    means = [total.real / total.imag for total in _resampled_sums(clusters, draws, Random(seed))]
    without = [(whole.real - cluster.real) / (whole.imag - cluster.imag) for cluster in clusters]
    centre = math.fsum(without) / g
    return _bca(means, mean, _acceleration([centre - value for value in without]), z)


def gap_closed(rows: Iterable[RowPasses], confidence: float = 0.95) -> float | None:
    """(distilled - baseline) / (teacher - baseline); None unless the teacher's lead is above 0 for sure.

    For sure: Tango's interval of teacher - baseline lies above 0.
    """
    kinds = Counter(rows)
    return _ratio(kinds) if _teacher_leads(kinds, confidence) else None


def ratio_interval(
    rows: Iterable[RowPasses],
    *,
    seed: int,
    draws: int = 10_000,
    confidence: float = 0.95,
) -> Interval | None:
    """Interval of `gap_closed`, rows resampled whole; None where that is None or an end is not finite.

    Rows of three 0/1 outcomes come in 8 kinds, so a draw is one multinomial. A draw in which the teacher's
    lead is gone counts as a ratio beyond every number, on the side of the distilled model's gain.
    """
    kinds = Counter(rows)
    _check(draws, [])
    if not _teacher_leads(kinds, confidence):
        return None
    ordered = sorted(kinds, key=lambda kind: (-kinds[kind], kind))
    counts = [kinds[kind] for kind in ordered]
    rng = Random(seed)
    gains = [kind.distilled - kind.baseline for kind in ordered]
    leads = [kind.teacher - kind.baseline for kind in ordered]
    ratios = [
        _quotient(sum(map(mul, gains, drawn)), sum(map(mul, leads, drawn)))
        for drawn in _multinomials(counts, draws, rng)
    ]
    estimate = _ratio(kinds)
    interval = _bca(ratios, estimate, _ratio_acceleration(kinds), two_sided_z(confidence))
    return interval if all(math.isfinite(end) for end in interval) else None


def _check(draws: int, values: Sequence[float]) -> None:
    if draws < 1:
        raise ValueError(f"draws must be positive, got {draws}")
    if not all(math.isfinite(value) for value in values):
        raise ValueError("scores must be finite numbers")


def _teacher_leads(kinds: Mapping[RowPasses, int], confidence: float) -> bool:
    n = sum(kinds.values())
    won = sum(count for kind, count in kinds.items() if kind[0] and not kind[1])
    lost = sum(count for kind, count in kinds.items() if kind[1] and not kind[0])
    return tango_interval(PairedCounts(n=n, won=won, lost=lost), confidence).low > 0.0


def _ratio(kinds: Mapping[RowPasses, int]) -> float:
    gained = lead = 0
    for (teacher, baseline, distilled), count in kinds.items():
        gained += (distilled - baseline) * count
        lead += (teacher - baseline) * count
    return _quotient(gained, lead)


def _quotient(gained: int, lead: int) -> float:
    if lead > 0:
        return gained / lead
    return math.copysign(math.inf, gained) if gained else 0.0


def _ratio_acceleration(kinds: Mapping[RowPasses, int]) -> float:
    """Jackknife: leaving out any row of a kind gives the same ratio, so one is computed for each kind."""
    without = {kind: _ratio({**kinds, kind: kinds[kind] - 1}) for kind in kinds}
    centre = math.fsum(kinds[kind] * value for kind, value in without.items()) / sum(kinds.values())
    return _acceleration([centre - without[kind] for kind, count in kinds.items() for _ in range(count)])


def _cost(values: Sequence[complex]) -> int:
    """Return the cost of one draw of `_resampled_sums`, in drawn rows."""
    return min(len(values), len(set(values)) * _ROWS_PER_BINOMIAL)


def _resampled_sums[Value: (float, complex)](values: Sequence[Value], draws: int, rng: Random) -> Iterator[Value]:
    """Yield sums of as many values, drawn with replacement; few distinct values are drawn by how often each occurs."""
    kinds = Counter(values)
    if len(kinds) * _ROWS_PER_BINOMIAL > len(values):
        for _ in range(draws):
            yield sum(rng.choices(values, k=len(values)))
        return
    common = kinds.most_common()
    for drawn in _multinomials([count for _, count in common], draws, rng):
        yield sum(value * times for (value, _), times in zip(common, drawn, strict=True))


def _multinomials(counts: Sequence[int], draws: int, rng: Random) -> Iterator[list[int]]:
    """Draw how often each kind occurs: kind by kind, a binomial of what is left."""
    total = sum(counts)
    chances = []
    left = total
    for count in counts:
        chances.append(count / left)
        left -= count
    # Of the last kind are all that are left.
    chances.pop()
    binomial = rng.binomialvariate
    for _ in range(draws):
        rest = total
        drawn = []
        for chance in chances:
            times = binomial(rest, chance)
            drawn.append(times)
            rest -= times
        drawn.append(rest)
        yield drawn


def _acceleration(influences: Sequence[float]) -> float:
    """Formula (14.15): the skewness of the jackknife, which measures how the error grows with the value."""
    scale = max(map(abs, influences))
    if scale == 0.0:
        return 0.0
    # Scaled first: cubes of tiny differences would underflow.
    scaled = [influence / scale for influence in influences]
    squares = math.fsum(value**2 for value in scaled)
    return math.fsum(value**3 for value in scaled) / (6.0 * squares * math.sqrt(squares))


def _bca(draws: list[float], estimate: float, acceleration: float, z: float) -> Interval:
    draws.sort()
    shift = _bias(draws, estimate)

    def end(side: float) -> float:
        moved = shift + side
        # Past the pole the formula would jump to the other end; this stays at the outermost draw.
        level = shift + moved / max(1.0 - acceleration * moved, _ROUNDING)
        return _quantile(draws, STANDARD.cdf(level))

    return Interval(end(-z), end(z))


def _bias(ordered: Sequence[float], estimate: float) -> float:
    """Formula (14.14), draws equal to the estimate counted half: with few distinct scores there are many."""
    slack = _ROUNDING * max(1.0, abs(estimate))
    below = bisect_left(ordered, estimate - slack)
    not_above = bisect_right(ordered, estimate + slack)
    count = len(ordered)
    share = (below + not_above) / (2.0 * count)
    return STANDARD.inv_cdf(min(max(share, 0.5 / count), 1.0 - 0.5 / count))


def _quantile(ordered: Sequence[float], level: float) -> float:
    position = level * (len(ordered) - 1)
    index = min(math.floor(position), len(ordered) - 1)
    after = min(index + 1, len(ordered) - 1)
    fraction = position - index
    if fraction == 0.0 or ordered[index] == ordered[after]:
        return ordered[index]
    return ordered[index] + fraction * (ordered[after] - ordered[index])
