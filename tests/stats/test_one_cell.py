"""The exact test of one cell among several: held against scipy, and against every deal of few rows."""

from __future__ import annotations

from itertools import combinations

import pytest
from scipy.stats import fisher_exact

from stats import homogeneity, one_cell


def test_two_cells_are_fishers_test_and_several_pay_for_their_number() -> None:
    expected = fisher_exact([[12, 48], [80, 1920]]).pvalue
    assert one_cell([12, 48], [80, 1920]) == pytest.approx(expected)
    assert one_cell([12, 24, 24], [80, 960, 960]) == pytest.approx(3 * expected)
    assert one_cell([12, 0, 24, 24], [80, 0, 960, 960]) == pytest.approx(3 * expected), "a cell that nobody has"


def test_nothing_speaks_against_what_is_alike_or_empty() -> None:
    assert one_cell([30, 30], [300, 300]) == pytest.approx(1)
    assert one_cell([], []) == one_cell([5], [7]) == one_cell([0, 0], [3, 4]) == 1.0


@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.01])
def test_no_more_deals_are_rare_than_the_level_allows(alpha: float) -> None:
    """Twelve rows of three values, four of which are dealt to the first side in every way."""
    rows = [0] * 7 + [1] * 3 + [2] * 2
    deals = [[rows[place] for place in places] for places in combinations(range(12), 4)]
    rare = 0
    for deal in deals:
        first = [deal.count(value) for value in range(3)]
        rare += one_cell(first, [rows.count(value) - ours for value, ours in enumerate(first)]) <= alpha
    assert rare <= alpha * len(deals)


def test_it_is_sure_where_a_distribution_is_not() -> None:
    """Of 60 rows twelve have what 4% of 2,000 others have: the gamma distribution says one in 53 million."""
    approximate = homogeneity([12, 48], [80, 1920]).p_value
    assert one_cell([12, 48], [80, 1920]) > 30 * approximate
