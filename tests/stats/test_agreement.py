import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from stats.agreement import agreeing_pairs, cohen_kappa, kappa_interval, majority

COUNTS = st.integers(0, 40)
TABLES = st.fixed_dictionaries({(a, b): COUNTS for a in "xyz" for b in "xyz"})


def as_array(table):
    labels = sorted({label for pair in table for label in pair})
    return np.array([[table.get((a, b), 0) for b in labels] for a in labels])


def raters(table):
    pairs = [pair for pair, count in table.items() for _ in range(count)]
    return [first for first, _ in pairs], [second for _, second in pairs]


@given(TABLES)
def test_kappa_is_scikit_learns(table):
    first, second = raters(table)
    if len({*first, *second}) < 2:
        assert cohen_kappa(table) is None
    else:
        assert cohen_kappa(table) == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


def test_the_interval_is_that_of_sas():
    """PROC FREQ on this table: kappa 0.4842, 95% limits 0.2137 and 0.7547."""
    counts = [[0, 4, 1], [0, 8, 0], [0, 1, 5]]
    table = {(str(a), str(b)): counts[a][b] for a in range(3) for b in range(3)}
    interval = kappa_interval(table)
    assert cohen_kappa(table) == pytest.approx(0.4842, abs=5e-5)
    assert interval == pytest.approx((0.2137, 0.7547), abs=5e-5)


def kappa_of(shares):
    square = shares.reshape(math.isqrt(shares.size), -1)
    by_chance = square.sum(1) @ square.sum(0)
    return (np.trace(square) - by_chance) / (1 - by_chance)


@given(TABLES.filter(lambda table: sum(table.values()) >= 5))
def test_the_interval_is_the_delta_method(table):
    """Derived anew: the gradient by differences, times the covariance of a multinomial."""
    counts = as_array(table).astype(float).ravel()
    n = counts.sum()
    shares = counts / n
    interval = kappa_interval(table)
    if cohen_kappa(table) is None:
        assert interval is None
        return
    step = 1e-6
    gradient = [
        (kappa_of(shares + step * direction) - kappa_of(shares - step * direction)) / (2 * step)
        for direction in np.eye(9)
    ]
    variance = gradient @ (np.diag(shares) - np.outer(shares, shares)) @ gradient / n
    half = 1.959964 * math.sqrt(max(0.0, variance))
    if interval is None:
        assert half < 1e-3
    else:
        low, high = max(-1.0, kappa_of(shares) - half), min(1.0, kappa_of(shares) + half)
        assert interval == pytest.approx((low, high), abs=1e-3)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    truth = np.array([0.55, 0.08, 0.07, 0.30])
    kappa = kappa_of(truth)
    rng = np.random.default_rng(7)
    covered = 0
    for draw in rng.multinomial(150, truth, size=2000):
        low, high = kappa_interval(
            dict(zip([("p", "p"), ("p", "f"), ("f", "p"), ("f", "f")], draw.tolist(), strict=True))
        )
        covered += low <= kappa <= high
    assert 0.935 <= covered / 2000 <= 0.965


def test_full_agreement_on_a_few_rows_is_no_interval():
    assert cohen_kappa({("p", "p"): 3, ("f", "f"): 2}) == 1.0
    assert kappa_interval({("p", "p"): 3, ("f", "f"): 2}) is None


def test_what_the_rows_cannot_tell_is_none():
    assert cohen_kappa({}) is kappa_interval({}) is None
    assert cohen_kappa({("p", "p"): 9}) is None
    assert cohen_kappa({("p", "p"): 9, ("f", "p"): 3}) == 0.0, "a judge that always says the same has no skill"
    with pytest.raises(ValueError, match="negative"):
        cohen_kappa({("p", "p"): -1})


@pytest.mark.parametrize(
    ("votes", "most"), [("aab", "a"), ("ab", None), ("", None), ("aabb", None), ("aabbc", None), ("c", "c")]
)
def test_the_majority_is_more_often_than_anything_else(votes, most):
    assert majority(list(votes)) == most


def test_pairs_of_people_are_counted_row_by_row():
    rng = random.Random(3)
    rows = [rng.choices("abc", k=rng.randrange(6)) for _ in range(200)]
    pairs = [vote == other for votes in rows for place, vote in enumerate(votes) for other in votes[:place]]
    assert agreeing_pairs(rows) == (sum(pairs), len(pairs))
