import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stats import fisher_exact, newcombe_interval


@st.composite
def tables(draw):
    total, other_total = draw(st.integers(0, 300)), draw(st.integers(0, 300))
    return draw(st.integers(0, total)), total, draw(st.integers(0, other_total)), other_total


@given(tables())
def test_fisher_is_scipys(table):
    passed, total, other_passed, other_total = table
    expected = stats.fisher_exact([[passed, total - passed], [other_passed, other_total - other_passed]]).pvalue
    assert fisher_exact(*table) == pytest.approx(expected, rel=1e-7)


def test_fisher_stays_exact_for_a_hundred_thousand_rows():
    expected = stats.fisher_exact([[20_200, 19_800], [30_000, 30_000]]).pvalue
    assert fisher_exact(20_200, 40_000, 30_000, 60_000) == pytest.approx(expected, rel=1e-6)


def test_a_p_too_small_for_a_float_is_not_zero():
    assert 0.0 < fisher_exact(0, 40_000, 50_000, 60_000) < 1e-300


# Newcombe (1998), Statistics in Medicine 17:873-890, table II, method 10.
@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
        ((10, 10, 0, 20), (0.6791, 1.0000)),
    ],
)
def test_published_intervals(table, expected):
    assert newcombe_interval(*table) == pytest.approx(expected, abs=5e-5)


def test_without_rows_nothing_is_known():
    assert newcombe_interval(0, 0, 0, 0) == pytest.approx((-(0.5**0.5), 0.5**0.5))
    assert fisher_exact(0, 0, 3, 5) == 1.0


@pytest.mark.parametrize("function", [fisher_exact, newcombe_interval])
@pytest.mark.parametrize("table", [(-1, 5, 1, 5), (6, 5, 1, 5), (1, 5, 6, 5)])
def test_impossible_counts_are_refused(function, table):
    with pytest.raises(ValueError, match="passed must lie"):
        function(*table)
