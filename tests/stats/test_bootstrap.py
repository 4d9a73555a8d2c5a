import random
import time

import numpy as np
import pytest
from scipy import stats

from stats import (
    MIN_CLUSTERS,
    Interval,
    PairedCounts,
    RowPasses,
    cluster_interval,
    gap_closed,
    paired_bca,
    ratio_interval,
    tango_interval,
)
from tests.examples import of_the_soak

ROWS = 120


def scores(seed, n=ROWS, digits=None):
    """Paired scores whose differences are skewed, so that BCa differs from the plain percentiles."""
    rng = random.Random(seed)
    second = [rng.betavariate(4, 2) for _ in range(n)]
    first = [min(1.0, score + rng.expovariate(8.0) - 0.08) for score in second]
    if digits is None:
        return first, second
    return [round(score, digits) for score in first], [round(score, digits) for score in second]


def scipy_bca(data, statistic, *, paired, confidence=0.95, draws=20_000):
    result = stats.bootstrap(
        data,
        statistic,
        paired=paired,
        vectorized=True,
        n_resamples=draws,
        confidence_level=confidence,
        method="BCa",
        rng=np.random.default_rng(7),
    )
    return result.confidence_interval, result.standard_error


def mean_difference(first, second, axis):
    return np.mean(first, axis=axis) - np.mean(second, axis=axis)


@pytest.mark.parametrize("digits", [None, 1])
@pytest.mark.parametrize("confidence", [0.95, *of_the_soak(0.9)])
@pytest.mark.parametrize("seed", [1, *of_the_soak(2, 3)])
def test_paired_bca_equals_scipy_within_monte_carlo_error(seed, confidence, digits):
    n = ROWS if digits is None else 600
    first, second = scores(seed, n, digits)
    expected, error = scipy_bca((first, second), mean_difference, paired=True, confidence=confidence)
    interval = paired_bca(first, second, seed=seed, confidence=confidence)
    assert interval == pytest.approx((expected.low, expected.high), abs=0.1 * error)


def test_paired_bca_equals_scipy_also_where_the_correction_is_large():
    rng = random.Random(8)
    first = [rng.lognormvariate(0.0, 1.0) for _ in range(12)]
    expected, error = scipy_bca((first, [0.0] * 12), mean_difference, paired=True, draws=50_000)
    interval = paired_bca(first, [0.0] * 12, seed=1, draws=50_000)
    assert interval == pytest.approx((expected.low, expected.high), abs=0.05 * error)


@pytest.mark.parametrize("passed", [3, 5, 8])
def test_paired_bca_equals_scipy_also_where_many_draws_equal_the_estimate(passed):
    first = [1.0] * passed + [0.0] * (20 - passed)
    expected, _ = scipy_bca((first, [0.0] * 20), mean_difference, paired=True)
    assert paired_bca(first, [0.0] * 20, seed=1) == pytest.approx((expected.low, expected.high))


def test_paired_bca_of_passes_and_fails_is_close_to_tango():
    first = [1.0] * 300 + [0.0] * 700
    second = [1.0] * 240 + [0.0] * 60 + [1.0] * 30 + [0.0] * 670
    counts = PairedCounts.of(zip(map(bool, first), map(bool, second), strict=True))
    assert paired_bca(first, second, seed=1) == pytest.approx(tango_interval(counts), abs=0.003)


def test_the_seed_decides_and_the_order_of_the_rows_does_not():
    first, second = scores(4)
    shuffled = list(zip(first, second, strict=True))
    random.Random(0).shuffle(shuffled)
    interval = paired_bca(first, second, seed=3, draws=500)
    assert paired_bca(*zip(*shuffled, strict=True), seed=3, draws=500) == interval
    assert paired_bca(first, second, seed=4, draws=500) != interval


def test_paired_bca_turns_around_when_the_models_change_places():
    first, second = scores(5)
    low, high = paired_bca(first, second, seed=1)
    assert paired_bca(second, first, seed=1) == pytest.approx((-high, -low), abs=0.003)


def test_pairs_that_all_differ_alike_have_no_width():
    assert paired_bca([0.5] * 9, [0.25] * 9, seed=1, draws=50) == Interval(0.25, 0.25)


def test_one_outlier_among_equals_keeps_both_ends_in_reach():
    low, high = paired_bca([0.0] * 999 + [1.0], [0.0] * 1000, seed=1)
    assert 0.0 <= low <= 0.001 < high < 0.01


@pytest.mark.parametrize(
    ("first", "second", "draws"),
    [([1.0], [0.0], 10), ([], [], 10), ([1.0, 2.0], [0.0], 10), ([1.0, 2.0], [0.0, 0.0], 0)],
)
def test_paired_bca_refuses_what_it_cannot_resample(first, second, draws):
    with pytest.raises(ValueError, match=r"two pairs|shorter|positive"):
        paired_bca(first, second, seed=1, draws=draws)


def test_scores_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="finite"):
        paired_bca([1.0, float("nan")], [0.0, 0.0], seed=1)
    with pytest.raises(ValueError, match="finite"):
        cluster_interval({"a": [float("inf")]}, seed=1)


@pytest.mark.soak
def test_paired_bca_covers_95_percent(soak):
    within, times = 0, 300 if soak else 100
    for seed in range(times):
        rng = random.Random(seed)
        first = [rng.expovariate(1.0) for _ in range(60)]
        low, high = paired_bca(first, [0.0] * 60, seed=seed, draws=400)
        within += low <= 1.0 <= high
    assert within / times == pytest.approx(0.94, abs=0.03)


def groups(seed, count, true_mean=0.0, spread=1.0):
    """Groups of three to seven rows that share most of their luck."""
    rng = random.Random(seed)
    clusters = {}
    for group in range(count):
        level = rng.gauss(true_mean, spread)
        clusters[f"group-{group}"] = [rng.gauss(level, 0.3) for _ in range(rng.randint(3, 7))]
    return clusters


def test_cluster_interval_equals_scipy_on_groups():
    clusters = groups(1, 400)
    sums = [sum(rows) for rows in clusters.values()]
    sizes = [len(rows) for rows in clusters.values()]

    def mean(sums, sizes, axis):
        return np.sum(sums, axis=axis) / np.sum(sizes, axis=axis)

    expected, error = scipy_bca((sums, sizes), mean, paired=True)
    interval = cluster_interval(clusters, seed=1)
    assert interval == pytest.approx((expected.low, expected.high), abs=0.12 * error)


def test_groups_of_one_row_are_rows():
    first, second = scores(6, 500)
    differences = [a - b for a, b in zip(first, second, strict=True)]
    alone = {str(index): [difference] for index, difference in enumerate(differences)}
    assert cluster_interval(alone, seed=1) == pytest.approx(paired_bca(first, second, seed=1), abs=0.0015)


def test_dependence_within_groups_widens_the_interval():
    clusters = groups(2, 40)
    rows = [row for group in clusters.values() for row in group]
    grouped = cluster_interval(clusters, seed=1, draws=2000)
    single = paired_bca(rows, [0.0] * len(rows), seed=1, draws=2000)
    assert grouped.high - grouped.low > 1.5 * (single.high - single.low)


def test_few_groups_cannot_carry_an_interval_and_empty_groups_do_not_count():
    clusters = groups(3, MIN_CLUSTERS - 1)
    assert cluster_interval({**clusters, "empty": []}, seed=1, draws=100) is None
    assert cluster_interval(groups(3, MIN_CLUSTERS), seed=1, draws=100) is not None


def test_the_order_of_groups_does_not_matter():
    clusters = groups(4, 30)
    backwards = dict(reversed(clusters.items()))
    assert cluster_interval(clusters, seed=1, draws=200) == cluster_interval(backwards, seed=1, draws=200)


@pytest.mark.soak
@pytest.mark.parametrize("count", [6, 30, *of_the_soak(10)])
def test_equal_models_rarely_win_however_few_the_groups(soak, count):
    times = 300 if soak else 100
    intervals = [cluster_interval(groups(seed, count), seed=seed, draws=300) for seed in range(times)]
    assert sum(interval.low > 0 for interval in intervals) / times <= 0.06
    assert sum(interval.low > 0 or interval.high < 0 for interval in intervals) / times <= 0.1


def outcomes(seed, n, teacher=0.92, baseline=0.75, closing=0.7):
    rng = random.Random(seed)
    rows = []
    for _ in range(n):
        before = rng.random() < baseline
        best = before if rng.random() < 0.5 else rng.random() < 2 * teacher - baseline
        rows.append(RowPasses(teacher=best, baseline=before, distilled=best if rng.random() < closing else before))
    return rows


def test_gap_closed_of_a_known_table():
    # 76 of 91 before, 88 after, 91 the teacher: 12 of 15.
    rows = (
        [RowPasses(True, False, True)] * 12 + [RowPasses(True, False, False)] * 3 + [RowPasses(True, True, True)] * 76
    )
    assert gap_closed(rows) == pytest.approx(0.8)
    low, high = ratio_interval(rows, seed=1)
    assert 0.4 < low < 0.8 < high <= 1.0


@pytest.mark.parametrize("seed", [1, *of_the_soak(2)])
def test_ratio_interval_equals_scipy_within_monte_carlo_error(seed):
    rows = outcomes(seed, 400)
    columns = [np.array(column, dtype=float) for column in zip(*rows, strict=True)]

    def ratio(teacher, baseline, distilled, axis):
        gained = np.sum(distilled, axis=axis) - np.sum(baseline, axis=axis)
        return gained / (np.sum(teacher, axis=axis) - np.sum(baseline, axis=axis))

    expected, error = scipy_bca(columns, ratio, paired=True)
    assert ratio_interval(rows, seed=seed) == pytest.approx((expected.low, expected.high), abs=0.12 * error)


def test_no_gap_is_closed_where_the_teacher_does_not_lead():
    even = outcomes(3, 300, teacher=0.75)
    behind = [RowPasses(False, True, True)] * 30 + [RowPasses(True, True, True)] * 70
    for rows in (even, behind, []):
        assert gap_closed(rows) is None
        assert ratio_interval(rows, seed=1) is None


def test_a_barely_leading_teacher_gives_a_finite_interval_or_none():
    for lead in range(5, 15):
        rows = [RowPasses(True, False, True)] * lead + [RowPasses(True, True, True)] * (100 - lead)
        rows += [RowPasses(False, True, False)] * 2
        interval = ratio_interval(rows, seed=1, draws=500)
        if gap_closed(rows) is None:
            assert interval is None
        elif interval is not None:
            assert all(map(np.isfinite, interval))


@pytest.mark.soak
def test_ratio_interval_covers_95_percent(soak):
    # distilled - baseline is `closing` of teacher - baseline by construction.
    within, times = 0, 200 if soak else 70
    for seed in range(times):
        low, high = ratio_interval(outcomes(seed, 500), seed=seed, draws=300)
        within += low <= 0.7 <= high
    assert within / times == pytest.approx(0.95, abs=0.04)


def test_the_ratio_of_5000_rows_takes_less_than_two_seconds():
    rows = outcomes(9, 5000)
    started = time.process_time()
    interval = ratio_interval(rows, seed=1)
    assert time.process_time() - started < 2.0
    assert interval == ratio_interval(rows[::-1], seed=1)


@pytest.mark.parametrize("seed", [1, *of_the_soak(2)])
def test_more_distinct_scores_than_are_drawn_equal_scipy_too(seed):
    first, second = scores(seed, 3000)
    expected, error = scipy_bca((first, second), mean_difference, paired=True, draws=5000)
    started = time.process_time()
    interval = paired_bca(first, second, seed=seed)
    assert time.process_time() - started < 0.5
    assert interval == pytest.approx((expected.low, expected.high), abs=0.12 * error)


def test_more_distinct_groups_than_are_drawn_equal_scipy_too():
    clusters = groups(5, 2000)
    data = ([sum(rows) for rows in clusters.values()], [len(rows) for rows in clusters.values()])

    def mean(sums, sizes, axis):
        return np.sum(sums, axis=axis) / np.sum(sizes, axis=axis)

    expected, error = scipy_bca(data, mean, paired=True, draws=5000)
    assert cluster_interval(clusters, seed=1) == pytest.approx((expected.low, expected.high), abs=0.15 * error)


def test_a_hundred_thousand_rows_of_few_kinds_are_drawn_by_kind():
    first = [1.0] * 50_000 + [0.5] * 30_000 + [0.0] * 20_000
    started = time.process_time()
    low, high = paired_bca(first, [0.0] * 100_000, seed=1)
    assert time.process_time() - started < 1.5
    assert low < 0.65 < high
    assert low != paired_bca(first, [0.0] * 100_000, seed=2).low, "these are draws"
