"""The moments are held against every way to deal a few rows, and the p against scipy's where there are many."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, permutations
from random import Random
from statistics import fmean, pvariance

import pytest
from scipy.stats import chi2_contingency

from stats import homogeneity, population_stability
from stats.homogeneity import _moments

LABELS = [0, 0, 0, 1, 1, 1, 1, 2, 2]


def statistic(weights: list[float]) -> float:
    """Of one way to deal: the weights stand in the order of the labels."""
    sizes = Counter(LABELS)
    apart = [sum(z for z, label in zip(weights, LABELS, strict=True) if label == cell) for cell in sizes]
    error = sum(z * z for z in weights)
    return sum(d * d / (sizes[cell] / len(LABELS)) for cell, d in zip(sizes, apart, strict=True)) / error


def moments(weights: list[float]) -> tuple[float, float]:
    counts = Counter(weights)
    error = sum(z * z for z in weights)
    shares = [count / len(LABELS) for count in Counter(LABELS).values()]
    return _moments(shares, counts, len(weights), error)


def test_the_moments_of_two_sides_are_those_over_every_way_to_deal() -> None:
    sides = combinations(range(9), 4)
    dealt = [statistic([1 / 4 if row in first else -1 / 5 for row in range(9)]) for first in sides]
    assert moments([1 / 4] * 4 + [-1 / 5] * 5) == pytest.approx((fmean(dealt), pvariance(dealt)))


def test_and_so_they_are_where_rows_stand_on_both_sides_and_count_twice() -> None:
    # Production has rows 0 to 4; what trains has rows 3 to 6, the last of them twice, and others are in neither.
    weights = [1 / 5, 1 / 5, 1 / 5, 1 / 5 - 1 / 5, 1 / 5 - 1 / 5, -1 / 5, -2 / 5, 0.0, 0.0]
    distinct = set(permutations(weights))
    dealt = [statistic(list(one)) for one in distinct]
    assert moments(weights) == pytest.approx((fmean(dealt), pvariance(dealt)))


def test_many_rows_have_scipys_statistic_and_its_p() -> None:
    first, second = [400, 310, 290, 120], [380, 350, 260, 150]
    known = chi2_contingency([first, second], correction=False)
    ours = homogeneity(first, second)
    assert ours.statistic == pytest.approx(known.statistic)
    assert ours.p_value == pytest.approx(known.pvalue, rel=0.01)


def test_the_noise_of_the_index_is_what_halves_of_one_set_show() -> None:
    random = Random(1)
    rows = [label for label, count in enumerate([200, 120, 60, 20]) for _ in range(count)]
    indices = []
    for _ in range(400):
        random.shuffle(rows)
        sides = [[half.count(label) for label in range(4)] for half in (rows[:150], rows[150:])]
        indices.append(population_stability(*sides))
    noise = homogeneity(*sides)
    assert noise.stability_noise == pytest.approx(fmean(indices), rel=0.1)
    assert 0.02 < sum(index > noise.stability_noise_95 for index in indices) / 400 < 0.08


@pytest.mark.parametrize(
    ("first", "second"), [([5, 0], [9, 0]), ([0, 0], [3, 4]), ([1, 0], [0, 1]), ([], []), ([10**9, 1], [1, 0])]
)
def test_what_tells_nothing_is_no_difference(first: list[int], second: list[int]) -> None:
    assert homogeneity(first, second).p_value > 0.1


def test_rows_that_all_stand_on_both_sides_tell_nothing() -> None:
    assert homogeneity([5, 9], [5, 9], pooled=[5, 9], weights={0.0: 14}).p_value == 1.0


def test_a_p_is_never_0() -> None:
    assert 0.0 < homogeneity([10**6, 0], [0, 10**6]).p_value < 1e-300
