from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy as scipy_entropy

from stats import entropy, jensen_shannon, population_stability
from tests.examples import examples

CELLS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=8).filter(
    lambda cells: sum(a for a, _ in cells) and sum(b for _, b in cells)
)


@given(CELLS)
@settings(max_examples=examples(100))
def test_both_divergences_are_those_of_scipy_and_symmetric(cells: list[tuple[int, int]]) -> None:
    first, second = [a for a, _ in cells], [b for _, b in cells]
    assert jensen_shannon(first, second) == pytest.approx(jensenshannon(first, second, base=2) ** 2, abs=1e-9)
    ours, theirs = [a + 0.5 for a in first], [b + 0.5 for b in second]
    both_ways = scipy_entropy(ours, theirs) + scipy_entropy(theirs, ours)
    assert population_stability(first, second) == pytest.approx(both_ways, abs=1e-9)
    assert population_stability(second, first) == pytest.approx(both_ways, abs=1e-9)
    assert 0.0 <= jensen_shannon(first, second) <= 1.0 + 1e-12


def test_equal_shares_are_not_apart_and_nothing_in_common_is_a_bit() -> None:
    assert jensen_shannon([1, 3], [2, 6]) == 0.0
    assert jensen_shannon([5, 0], [0, 9]) == pytest.approx(1.0)
    assert math.isfinite(population_stability([5, 0], [0, 9]))
    assert population_stability([4, 4], [4, 4]) == 0.0


def test_entropy_is_that_of_scipy() -> None:
    assert entropy([1, 1, 1, 1]) == 2.0
    assert entropy([9, 0]) == 0.0
    assert entropy([]) == 0.0
    assert entropy([3, 1, 7]) == pytest.approx(scipy_entropy([3, 1, 7], base=2))


@pytest.mark.parametrize(("first", "second"), [([1], [1, 2]), ([1, -1], [1, 1]), ([0, 0], [1, 1]), ([1, 1], [])])
def test_what_is_no_distribution_is_refused(first: list[int], second: list[int]) -> None:
    for divergence in (jensen_shannon, population_stability):
        with pytest.raises(ValueError, match=r"cells|counts"):
            divergence(first, second)
