import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.moments import Moments

SCORES = st.lists(st.floats(-100.0, 100.0), min_size=1, max_size=60)


@given(SCORES)
def test_moments_are_those_of_all_scores_at_once(scores):
    moments = Moments.of(scores)
    away = np.array(scores) - np.mean(scores)
    assert moments.n == len(scores)
    assert moments.mean == pytest.approx(np.mean(scores), abs=1e-9)
    assert moments.m2 == pytest.approx(np.sum(away**2), rel=1e-9, abs=1e-6)
    assert moments.m3 == pytest.approx(np.sum(away**3), rel=1e-9, abs=1e-3)
    assert (moments.least, moments.most) == (min(scores), max(scores))


@given(SCORES, SCORES)
def test_parts_add_up_to_the_whole(first, second):
    assert Moments.of(first).plus(Moments.of(second)) == pytest.approx(Moments.of(first + second), rel=1e-7, abs=1e-3)


def test_nothing_adds_nothing():
    some = Moments.of([-2.0, -1.0])
    assert Moments().plus(some) == some == some.plus(Moments())


def test_far_from_zero_nothing_is_lost():
    rng = random.Random(1)
    near = [rng.random() for _ in range(10_000)]
    far = Moments.of(1e6 + score for score in near)
    assert far[2:4] == pytest.approx(Moments.of(near)[2:4], rel=1e-3)
