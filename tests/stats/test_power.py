import random
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from stats import PairedCounts, mcnemar_exact, power_at, rows_needed, smallest_gain, tango_interval
from tests.examples import examples, of_the_soak


def oracle_power(n, gain, discordance, min_gain=0.0):
    """The sum over all tables that would show the gain, with scipy's binomials and the intervals themselves."""
    won_share = (discordance + gain) / 2
    total = 0.0
    for discordant in range(n + 1):
        lost = np.arange((discordant + 1) // 2)
        lost = lost[2 * stats.binom.cdf(lost, discordant, 0.5) < 0.05]
        counts = [PairedCounts(n=n, won=discordant - row, lost=row) for row in lost.tolist()]
        shown = lost[np.array([tango_interval(table).low > min_gain for table in counts], dtype=bool)]
        chances = stats.binom.pmf(shown, discordant, 1 - won_share / discordance)
        total += stats.binom.pmf(discordant, n, discordance) * chances.sum()
    return total


@pytest.mark.parametrize(
    ("gain", "discordance", "power", "min_gain"),
    [(0.4, 0.5, 0.8, 0.0), (0.35, 0.5, 0.9, 0.0), (0.4, 0.5, 0.8, 0.13), (0.3, 0.3, 0.8, 0.1)],
)
def test_the_rows_are_the_fewest_that_keep_the_promise(gain, discordance, power, min_gain):
    rows = rows_needed(gain, discordance, power=power, min_gain=min_gain)
    assert oracle_power(rows, gain, discordance, min_gain) >= power
    assert oracle_power(rows - 1, gain, discordance, min_gain) < power
    assert min(oracle_power(rows + ahead, gain, discordance, min_gain) for ahead in (1, 2, 7)) >= power


# powerandsamplesize.com, "McNemar's Z-test, 2-Sided Equality": p01 = 0.45, p10 = 0.05 need 23 (22.01).
# clinicaltrials-tools.vercel.app, "McNemar's Test (Connor 1987)": discordance 0.45, ratio 2 need 155.
@pytest.mark.parametrize(("gain", "discordance", "published"), [(0.40, 0.50, 23), (0.15, 0.45, 155)])
def test_the_exact_test_needs_a_few_rows_more_than_the_normal_ones_that_are_published(gain, discordance, published):
    assert published < rows_needed(gain, discordance) <= published + 2 / gain


@pytest.mark.parametrize("power", [0.5, 0.95])
@pytest.mark.parametrize("gain", [0.05, 0.1, 0.4])
def test_beyond_the_exact_sums_no_fewer_rows_are_promised(monkeypatch, gain, power):
    for discordance, min_gain in ((gain, 0.0), (2 * gain, 0.0), (0.9, 0.0), (0.5, gain / 2)):
        exact = rows_needed(gain, discordance, power=power, min_gain=min_gain)
        with monkeypatch.context() as patch:
            patch.setattr("stats.power._EXACT_UP_TO_ROWS", 0)
            assert exact <= rows_needed(gain, discordance, power=power, min_gain=min_gain)


@pytest.mark.parametrize("gain", [0.0, -0.1, 0.02, 0.05])
def test_a_gain_not_above_the_minimum_has_no_number_of_rows(gain):
    assert rows_needed(gain, 0.2, min_gain=0.05) is None
    assert (rows_needed(gain, 0.2) is None) == (gain <= 0)


def test_a_discordance_below_the_gain_counts_as_the_gain():
    assert rows_needed(0.2, 0.05) == rows_needed(0.2, 0.2)
    assert power_at(50, 0.2, 0.05) == power_at(50, 0.2, 0.2)


@settings(max_examples=examples(40))
@given(st.floats(0.02, 0.5), st.floats(0.0, 1.0), st.floats(0.5, 0.95))
def test_more_is_needed_for_less_gain_more_discordance_more_power_and_a_higher_minimum(gain, discordance, power):
    rows = rows_needed(gain, discordance, power=power)
    assert rows >= 1
    assert rows_needed(gain / 2, discordance, power=power) >= rows
    assert rows_needed(gain, min(1.0, discordance + 0.1), power=power) >= rows
    assert rows_needed(gain, discordance, power=power + 0.04) >= rows
    assert rows_needed(gain, discordance, power=power, min_gain=gain / 2) >= rows


@pytest.mark.parametrize(("n", "gain", "discordance"), [(60, 0.2, 0.4), (150, 0.1, 0.1), (400, 0.06, 0.2)])
def test_power_equals_the_sum_over_all_tables(n, gain, discordance):
    won_share = (discordance + gain) / 2
    total = 0.0
    for discordant in range(n + 1):
        lost = np.arange(discordant + 1)
        chances = stats.binom.pmf(lost, discordant, 1 - won_share / discordance)
        rejected = (2 * lost < discordant) & (2 * stats.binom.cdf(lost, discordant, 0.5) < 0.05)
        total += stats.binom.pmf(discordant, n, discordance) * chances[rejected].sum()
    assert power_at(n, gain, discordance) == pytest.approx(total, abs=1e-9)


def test_the_exact_and_the_normal_power_meet():
    assert power_at(50_001, 0.006, 0.3) == pytest.approx(power_at(50_000, 0.006, 0.3), abs=0.01)


def test_power_without_rows_or_discordance_is_none_and_without_gain_at_most_half_of_alpha():
    assert power_at(0, 0.1, 0.2) == 0.0
    assert power_at(100, 0.0, 0.0) == 0.0
    assert 0.0 < power_at(2000, 0.0, 0.2) <= 0.025


def test_certain_wins_need_six_rows():
    assert power_at(5, 1.0, 1.0) == 0.0
    assert power_at(6, 1.0, 1.0) == 1.0
    assert power_at(60_000, 1.0, 1.0) == 1.0
    assert rows_needed(1.0, 1.0) == 6


def simulated_power(n, gain, discordance, min_gain):
    rng, times = random.Random(5), 4000
    won_share = (discordance + gain) / 2
    wins = 0
    for _ in range(times):
        discordant = rng.binomialvariate(n, discordance)
        won = rng.binomialvariate(discordant, won_share / discordance)
        wins += is_shown(n, won, discordant - won, min_gain)
    return wins / times


@cache
def is_shown(n, won, lost, min_gain):
    low = tango_interval(PairedCounts(n=n, won=won, lost=lost)).low
    return low > min_gain and mcnemar_exact(won, lost) < 0.05


@pytest.mark.parametrize(
    ("gain", "discordance", "min_gain"),
    [(0.1, 0.25, 0.0), (0.1, 0.3, 0.05), *of_the_soak((0.05, 0.2, 0.0), (0.02, 0.15, 0.0), (0.08, 0.2, 0.02))],
)
def test_planned_rows_give_the_planned_power_in_simulation(gain, discordance, min_gain):
    rows = rows_needed(gain, discordance, min_gain=min_gain)
    # 4,000 draws of a chance of 0.8 fall short of 0.784 once in 200.
    assert 0.784 <= simulated_power(rows, gain, discordance, min_gain) < 0.83


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"gain": 1.5, "discordance": 0.2}, "gain"),
        ({"gain": 0.1, "discordance": 1.2}, "discordance"),
        ({"gain": 0.1, "discordance": -0.1}, "discordance"),
        ({"gain": 0.1, "discordance": float("nan")}, "discordance"),
        ({"gain": 0.1, "discordance": 0.2, "alpha": 0.0}, "alpha"),
        ({"gain": 0.1, "discordance": 0.2, "power": 1.0}, "power"),
        ({"gain": 0.1, "discordance": 0.2, "min_gain": -0.1}, "min_gain"),
    ],
)
def test_shares_and_levels_out_of_range_are_refused(arguments, word):
    with pytest.raises(ValueError, match=word):
        rows_needed(**arguments)


def test_negative_rows_are_refused():
    with pytest.raises(ValueError, match="negative"):
        power_at(-1, 0.1, 0.2)


@pytest.mark.parametrize("n", [60, 400, 4000])
@pytest.mark.parametrize("power", [0.8, 0.95])
def test_the_smallest_gain_is_shown_by_the_rows_and_a_tenth_less_is_not(n, power):
    gain = smallest_gain(n, lambda _: 0.3, power=power)
    assert rows_needed(gain, 0.3, power=power) <= n
    assert rows_needed(0.9 * gain, 0.3, power=power) > n


def test_the_smallest_gain_of_models_that_answer_independently():
    def independent(gain):
        return 0.7 * (0.3 - gain) + (0.7 + gain) * 0.3

    gain = smallest_gain(500, independent, most=0.3)
    assert 480 <= rows_needed(gain, independent(gain)) <= 500
    assert smallest_gain(10, independent, most=0.3) is None


def test_three_rows_show_nothing_at_all():
    assert smallest_gain(3, lambda _: 0.5) is None


def shown_by_scipy(n, won, lost, min_gain):
    """Whether a table shows the gain, by scipy's exact McNemar test and the root of Tango's score by scipy's solver."""
    if won <= lost or stats.binomtest(lost, won + lost, 0.5).pvalue >= 0.05:
        return False

    def score(difference):
        b = (2 * n - won + lost) * difference - won - lost
        c = -lost * difference * (1 - difference)
        share = (np.sqrt(b * b - 8 * n * c) - b) / (4 * n)
        return (won - lost - n * difference) / np.sqrt(n * (2 * share + difference * (1 - difference)))

    return optimize.brentq(lambda at: score(at) - stats.norm.ppf(0.975), -0.9999, (won - lost) / n) > min_gain


@pytest.mark.parametrize(
    ("times", "gain", "discordance", "min_gain"),
    [
        (2_000, 0.2, 0.4, 0.0),
        *of_the_soak(
            (20_000, 0.12, 0.3, 0.0),
            (20_000, 0.05, 0.12, 0.0),
            (20_000, 0.03, 0.1, 0.0),
            (20_000, 0.1, 0.2, 0.03),
            (20_000, 0.02, 0.02, 0.0),
        ),
    ],
)
def test_the_promised_power_is_kept_where_scipy_simulates_and_scipy_decides(times, gain, discordance, min_gain):
    rows = rows_needed(gain, discordance, min_gain=min_gain)
    shares = [(discordance + gain) / 2, (discordance - gain) / 2, 1 - discordance]
    tables = stats.multinomial.rvs(rows, shares, size=times, random_state=7)
    distinct, counts = np.unique(tables[:, :2], axis=0, return_counts=True)
    shown = sum(
        int(number)
        for (won, lost), number in zip(distinct.tolist(), counts, strict=True)
        if shown_by_scipy(rows, won, lost, min_gain)
    )
    # A chance of 0.8 falls short of this once in 200.
    assert shown / times >= stats.binom.ppf(0.005, times, 0.8) / times
