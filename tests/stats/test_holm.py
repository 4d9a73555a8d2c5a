from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats import holm

CHANCES = st.floats(0.0, 1.0)


def closed_testing(p_values):
    """What Holm abbreviates: a slice holds if every set of slices with it is rejected by Bonferroni."""
    indexes = range(len(p_values))
    sets = [chosen for size in range(1, len(p_values) + 1) for chosen in combinations(indexes, size)]
    return [
        max(min(1.0, len(chosen) * min(p_values[i] for i in chosen)) for chosen in sets if index in chosen)
        for index in indexes
    ]


def test_worked_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_nothing_to_correct():
    assert holm([]) == []
    assert holm([0.2]) == [0.2]


@given(st.lists(CHANCES, min_size=1, max_size=7))
def test_holm_equals_closed_testing(p_values):
    assert holm(p_values) == pytest.approx(closed_testing(p_values), abs=1e-12)


@given(st.lists(CHANCES, max_size=50))
def test_holm_keeps_the_order_and_never_lowers(p_values):
    adjusted = holm(p_values)
    assert all(before <= after <= 1.0 for before, after in zip(p_values, adjusted, strict=True))
    by_p = sorted(zip(p_values, adjusted, strict=True))
    assert [after for _, after in by_p] == sorted(adjusted)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_what_is_no_chance_is_refused(wrong):
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.5, wrong])
