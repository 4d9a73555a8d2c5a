import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from stats import Interval, wilson


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(("passed", "total"), [(0, 1), (1, 1), (0, 20), (7, 20), (88, 91), (4321, 5000), (5000, 5000)])
def test_wilson_equals_scipy(passed, total, confidence):
    expected = binomtest(passed, total).proportion_ci(confidence, method="wilson")
    interval = wilson(passed, total, confidence)
    assert interval.low == pytest.approx(expected.low, abs=1e-12)
    assert interval.high == pytest.approx(expected.high, abs=1e-12)


def test_no_rows_say_nothing():
    assert wilson(0, 0) == Interval(0.0, 1.0)


def test_nothing_passed_starts_at_exactly_zero_and_everything_passed_ends_at_exactly_one():
    assert wilson(0, 7).low == 0.0
    assert wilson(7, 7).high == 1.0


@settings(deadline=None)
@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_mirrors_and_narrows_with_more_rows(counts):
    passed, total = counts
    low, high = wilson(passed, total)
    assert 0.0 <= low <= passed / total <= high <= 1.0
    mirrored = wilson(total - passed, total)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((low, high), abs=1e-12)
    more = wilson(4 * passed, 4 * total)
    assert more.high - more.low < high - low


@pytest.mark.parametrize(("passed", "total"), [(-1, 5), (6, 5), (0, -1)])
def test_impossible_counts_are_refused(passed, total):
    with pytest.raises(ValueError, match="passed must lie"):
        wilson(passed, total)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.5, 95, float("nan")])
def test_a_confidence_that_is_no_share_is_refused(confidence):
    with pytest.raises(ValueError, match="confidence"):
        wilson(1, 2, confidence)
