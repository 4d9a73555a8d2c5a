"""A binomial tail that is carried on from trial to trial equals the one that scipy computes anew."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from stats.binomial import RunningTail
from tests.examples import examples


@settings(max_examples=examples(100))
@given(
    st.integers(0, 60),
    st.integers(0, 60),
    st.sampled_from([0.0, 1e-6, 0.1, 0.37, 0.5]),
    st.lists(st.booleans(), max_size=120),
)
def test_it_equals_scipys_after_any_steps(successes, trials, chance, steps):
    tail = RunningTail(min(successes, trials), trials, chance)
    successes = min(successes, trials)
    for adds_trial in steps:
        if adds_trial:
            tail.add_trial()
            trials += 1
        elif successes < trials:
            tail.add_success()
            successes += 1
    assert tail.successes == successes
    assert tail.tail == pytest.approx(stats.binom.cdf(successes, trials, chance), abs=1e-12)
    assert tail.mass == pytest.approx(stats.binom.pmf(successes, trials, chance), abs=1e-12)


def test_thousands_of_trials_later_it_is_as_exact():
    tail = RunningTail(900, 2000, 0.5)
    for _ in range(1000):
        tail.add_trial()
        tail.add_trial()
        tail.add_success()
    assert tail.tail == pytest.approx(stats.binom.cdf(1900, 4000, 0.5), rel=1e-7)
