import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from stats.binomial import lower_tail, mass


@settings(deadline=None)
@given(st.integers(-1, 3000), st.integers(0, 3000), st.floats(1e-9, 1.0 - 1e-9) | st.sampled_from([0.0, 1.0]))
def test_mass_and_tail_equal_scipy(successes, trials, chance):
    exact_pmf = stats.binom.pmf(successes, trials, chance)
    exact_cdf = stats.binom.cdf(successes, trials, chance)
    assert mass(successes, trials, chance) == pytest.approx(exact_pmf, rel=1e-8, abs=1e-280)
    assert lower_tail(successes, trials, chance) == pytest.approx(exact_cdf, rel=1e-8, abs=1e-12)


def test_a_far_tail_keeps_its_digits():
    assert lower_tail(400, 2000, 0.5) == pytest.approx(stats.binom.cdf(400, 2000, 0.5), rel=1e-9)
