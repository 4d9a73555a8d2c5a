import math
import random

import numpy as np
import pytest
from scipy import stats

from stats import mean_interval
from stats.mean import bca_expansion
from stats.moments import Moments
from tests.examples import of_the_soak

Z = stats.norm.ppf(0.975)


def skewed(seed, n):
    rng = random.Random(seed)
    return [rng.lognormvariate(0.0, 1.0) for _ in range(n)]


@pytest.mark.parametrize("seed", [1, *of_the_soak(2, 3)])
@pytest.mark.parametrize("n", [300, 2000])
def test_the_expansion_equals_scipys_draws(seed, n):
    scores = skewed(seed, n)
    expected = stats.bootstrap(
        (scores,), np.mean, n_resamples=10_000, method="BCa", batch=500, rng=np.random.default_rng(seed)
    )
    ends = expected.confidence_interval
    assert bca_expansion(Moments.of(scores), Z) == pytest.approx(
        (ends.low, ends.high), abs=0.12 * expected.standard_error
    )


def test_the_skewness_moves_both_ends_to_its_side():
    scores = skewed(1, 300)
    error = math.sqrt(Moments.of(scores).m2) / 300
    low, high = bca_expansion(Moments.of(scores), Z)
    mean = sum(scores) / 300
    assert low > mean - Z * error
    assert high > mean + Z * error


def test_no_end_lies_beyond_the_scores():
    scores = Moments.of([1.0] * 9 + [0.0])
    low, high = mean_interval(scores)
    assert 0.0 <= low < 0.9 < high <= 1.0


def test_equal_scores_have_no_width_and_five_scores_no_interval():
    assert mean_interval(Moments.of([0.7] * 40)) == pytest.approx((0.7, 0.7))
    assert mean_interval(Moments.of([0.1, 0.2, 0.3, 0.4, 0.5])) is None


@pytest.mark.parametrize(("n", "least"), [(10, 0.91), (30, 0.925), (100, 0.935)])
def test_it_covers_the_mean_of_a_skewed_distribution(n, least):
    rng = random.Random(n)
    covered = 0
    for _ in range(1000):
        low, high = mean_interval(Moments.of(rng.expovariate(1.0) for _ in range(n)))
        covered += low <= 1.0 <= high
    assert least <= covered / 1000 <= 0.97
