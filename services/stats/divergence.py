"""How far two distributions over the same cells are apart, and how even one is.

In: counts or weights by cell, in the same order for both. Out: a distance that is 0 for equal distributions. Cells of
different numbers, negative counts and a side without any raise ValueError.
"""

import math
from collections.abc import Iterable, Sequence

_HALF = 0.5


def population_stability(first: Sequence[float], second: Sequence[float]) -> float:
    """The population stability index: the sum of (p - q) ln(p / q).

    Siddiqi (2006), "Credit Risk Scorecards", chapter 9, with its rule of thumb: below 0.1 little, above 0.25 much. It
    is the symmetric divergence of Kullback & Leibler (1951). Half a row is added to each cell of both, so that a cell
    that one side lacks counts by how many rows that side has, and is not infinite.
    """
    ours, theirs = _shares([count + _HALF for count in first]), _shares([count + _HALF for count in second])
    _check(first, second)
    return math.fsum((p - q) * math.log(p / q) for p, q in zip(ours, theirs, strict=True))


def jensen_shannon(first: Sequence[float], second: Sequence[float]) -> float:
    """The Jensen-Shannon divergence in bits, both sides with the same weight: from 0, equal, to 1, nothing in common.

    Lin (1991), "Divergence measures based on the Shannon entropy", IEEE Transactions on Information Theory 37:145-151.
    """
    _check(first, second)
    ours, theirs = _shares(first), _shares(second)
    return max(0.0, math.fsum(_half_bits(p, q) + _half_bits(q, p) for p, q in zip(ours, theirs, strict=True)))


def entropy(counts: Iterable[float]) -> float:
    """Shannon's entropy in bits: 0 where one cell has everything, log2(k) where k cells have the same. 0 of nothing."""
    present = [count for count in counts if count > 0]
    total = math.fsum(present)
    return max(0.0, -math.fsum(count / total * math.log2(count / total) for count in present))


def _half_bits(share: float, other: float) -> float:
    return 0.5 * share * math.log2(2.0 * share / (share + other)) if share > 0.0 else 0.0


def _shares(counts: Sequence[float]) -> list[float]:
    total = math.fsum(counts)
    return [count / total for count in counts] if total else []


def _check(first: Sequence[float], second: Sequence[float]) -> None:
    if len(first) != len(second):
        raise ValueError(f"both sides need the same cells, got {len(first)} and {len(second)}")
    if min([*first, *second], default=0) < 0 or not sum(first) or not sum(second):
        raise ValueError("counts must not be negative, and each side must have some")
