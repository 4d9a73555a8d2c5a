import math
import random
from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from stats import Interval, PairedCounts, mcnemar_exact, tango_interval
from tests.examples import examples, of_the_soak

ALPHA = 0.05


@st.composite
def tables(draw, most=2000):
    n = draw(st.integers(1, most))
    won = draw(st.integers(0, n))
    return PairedCounts(n=n, won=won, lost=draw(st.integers(0, n - won)))


# Published intervals. All but the last stand, with their origin, in the tests of the R package ratesci
# (github.com/PeteLaud/ratesci, tests/testthat/test3.R, "published examples").
PUBLISHED = [
    # Tango (1998), section 6.1, Table V: soft contact lenses, 43/0/1/0, 90%.
    (PairedCounts(n=44, won=0, lost=1), 0.90, (-0.096, 0.037), 3),
    # There as "Tango": 4/9/3/16.
    (PairedCounts(n=32, won=9, lost=3), 0.95, (-0.027, 0.390), 3),
    # Agresti & Min (2005), Statistics in Medicine 24:729-740: 53/16/8/9.
    (PairedCounts(n=86, won=16, lost=8), 0.95, (-0.020, 0.207), 3),
    # Fagerland, Lydersen & Laake (2014), Statistics in Medicine 33:2850-2875: 1/1/7/12.
    (PairedCounts(n=21, won=1, lost=7), 0.95, (-0.517, -0.026), 3),
    # Cavo et al. (2012), 59/6/16/80, in the tests of the R package contingencytables
    # (github.com/ocbe-uio/contingencytables, tests/testthat/test-ch8.R).
    (PairedCounts(n=161, won=6, lost=16), 0.95, (-0.1240, -0.0054), 4),
]

# Output of PropCIs 0.3-0, scoreci.mp, whose bisection stops at 1e-7; recorded in
# github.com/dipak-bhujbal/llama-tools, tests/fixtures/tango_propcis_oracle.json. Its c is our `won`.
PROPCIS = [
    (PairedCounts(n=160, won=40, lost=20), 0.030864521861076355, 0.21806428581476212),
    (PairedCounts(n=160, won=20, lost=40), -0.21806423366069794, -0.030864588916301727),
    (PairedCounts(n=100, won=0, lost=0), -0.03699350357055664, 0.036993443965911865),
    (PairedCounts(n=50, won=7, lost=1), 0.011619682312011706, 0.24658078670501707),
    (PairedCounts(n=25, won=5, lost=0), 0.04016923904418947, 0.3913094520568848),
    (PairedCounts(n=25, won=0, lost=5), -0.39130954742431645, -0.0401693105697632),
    (PairedCounts(n=30, won=2, lost=2), -0.1621800661087036, 0.16218000650405884),
    (PairedCounts(n=50, won=0, lost=50), -1.0, -0.8573047518730164),
    (PairedCounts(n=320, won=11, lost=4), -0.00209718327969313, 0.049683837033808236),
]


@pytest.mark.parametrize(("counts", "confidence", "expected", "decimals"), PUBLISHED)
def test_published_examples(counts, confidence, expected, decimals):
    assert tuple(round(end, decimals) for end in tango_interval(counts, confidence)) == expected


@pytest.mark.parametrize(("counts", "low", "high"), PROPCIS)
def test_what_the_r_package_propcis_computes(counts, low, high):
    assert tango_interval(counts) == pytest.approx((low, high), abs=1e-6)


def likeliest_shares(counts, difference):
    """The shares (won, lost) that maximise the multinomial likelihood under won - lost = difference."""
    tied = counts.n - counts.won - counts.lost

    def against(lost):
        shares = (lost + difference, lost, 1.0 - 2.0 * lost - difference)
        observed = (counts.won, counts.lost, tied)
        return -sum(
            count * math.log(max(share, 1e-300)) for count, share in zip(observed, shares, strict=True) if count
        )

    bounds = (max(0.0, -difference), (1.0 - difference) / 2.0)
    minimum = optimize.minimize_scalar(against, bounds=bounds, method="bounded", options={"xatol": 1e-12})
    lost = min((*bounds, minimum.x), key=against)
    return lost + difference, lost


def score(counts, difference):
    won, lost = likeliest_shares(counts, difference)
    error = math.sqrt(counts.n * max(won + lost - difference**2, 1e-12))
    return (counts.won - counts.lost - counts.n * difference) / error


@pytest.mark.parametrize(
    ("n", "won", "lost"),
    [
        (10, 3, 1),
        (10, 0, 0),
        (10, 0, 4),
        (44, 0, 1),
        (91, 14, 3),
        (200, 90, 90),
        (500, 30, 8),
        (5000, 400, 310),
    ],
)
def test_tango_equals_the_inversion_of_the_score_test_by_brute_force(n, won, lost):
    counts = PairedCounts(n=n, won=won, lost=lost)
    z = stats.norm.ppf(0.975)
    middle = counts.gain
    edge = 1.0 - 1e-9
    low = optimize.brentq(lambda d: score(counts, d) - z, -edge, middle, xtol=1e-10)
    high = optimize.brentq(lambda d: score(counts, d) + z, middle, edge, xtol=1e-10)
    assert tango_interval(counts) == pytest.approx((low, high), abs=1e-5)


@settings(max_examples=examples(200))
@given(tables())
def test_tango_holds_the_gain_and_stays_within_one(counts):
    low, high = tango_interval(counts)
    assert -1.0 <= low <= counts.gain <= high <= 1.0
    assert low < high


@given(tables())
def test_tango_turns_around_when_the_models_change_places(counts):
    low, high = tango_interval(counts)
    assert tango_interval(PairedCounts(n=counts.n, won=counts.lost, lost=counts.won)) == Interval(-high, -low)


@given(tables(), st.integers(2, 10))
def test_tango_narrows_with_more_rows_and_with_less_confidence(counts, times):
    low, high = tango_interval(counts)
    more = tango_interval(
        PairedCounts(n=counts.n * times, won=counts.won * times, lost=counts.lost * times),
    )
    assert more.high - more.low < high - low
    surer = tango_interval(counts, 0.99)
    assert surer.low <= low
    assert high <= surer.high


@given(tables())
def test_tango_leaves_out_zero_exactly_when_the_normal_mcnemar_test_does(counts):
    discordant = counts.won + counts.lost
    assume(discordant > 0)
    statistic = abs(counts.won - counts.lost) / math.sqrt(discordant)
    critical = stats.norm.ppf(0.975)
    assume(abs(statistic - critical) > 1e-9)
    low, high = tango_interval(counts)
    assert (low > 0 or high < 0) == (statistic > critical)


def test_tango_without_rows_says_nothing():
    assert tango_interval(PairedCounts(n=0, won=0, lost=0)) == Interval(-1.0, 1.0)


@pytest.mark.parametrize("n", [1, 2, 20, 100_000])
def test_tango_without_discordant_rows_still_has_a_width(n):
    z = stats.norm.ppf(0.975)
    end = z**2 / (n + z**2)
    assert tango_interval(PairedCounts(n=n, won=0, lost=0)) == pytest.approx((-end, end), rel=1e-9)


@pytest.mark.parametrize("n", [1, 2, 20, 100_000])
def test_tango_where_every_row_is_won_or_lost_ends_at_one(n):
    low, high = tango_interval(PairedCounts(n=n, won=n, lost=0))
    assert high == 1.0
    assert low < 1.0
    assert tango_interval(PairedCounts(n=n, won=0, lost=n)) == Interval(-1.0, -low)


@pytest.mark.parametrize(("n", "won", "lost"), [(-1, 0, 0), (5, -1, 0), (5, 0, -1), (5, 3, 3)])
def test_impossible_counts_are_refused(n, won, lost):
    with pytest.raises(ValueError, match=r"counts must not be negative|more rows won"):
        PairedCounts(n=n, won=won, lost=lost)


def test_counting_pairs():
    pairs = [(True, False), (True, True), (False, True), (True, False), (False, False)]
    counts = PairedCounts.of(pairs)
    assert counts == PairedCounts(n=5, won=2, lost=1)
    assert counts.gain == pytest.approx(0.2)
    assert counts.discordance == pytest.approx(0.6)


def test_no_rows_have_no_gain():
    counts = PairedCounts.of([])
    assert (counts.gain, counts.discordance) == (0.0, 0.0)


@settings(max_examples=examples(200))
@given(st.integers(0, 3000), st.integers(0, 3000))
def test_mcnemar_equals_scipy(won, lost):
    assume(won + lost > 0)
    assert mcnemar_exact(won, lost) == pytest.approx(binomial_p(won, lost), rel=1e-8, abs=1e-289)


@pytest.mark.parametrize(("won", "lost"), [(0, 1), (1, 5), (6, 0), (1030, 970), (20_300, 19_700), (5000, 4000)])
def test_mcnemar_equals_scipy_also_for_many_rows(won, lost):
    assert mcnemar_exact(won, lost) == pytest.approx(binomial_p(won, lost), rel=1e-8)


def binomial_p(won, lost):
    return stats.binomtest(won, won + lost, 0.5).pvalue


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_mcnemar_is_symmetric_and_a_chance_above_zero(won, lost):
    p = mcnemar_exact(won, lost)
    assert p == mcnemar_exact(lost, won)
    assert 0.0 < p <= 1.0


def test_mcnemar_without_discordant_rows_is_one():
    assert mcnemar_exact(0, 0) == 1.0


def test_mcnemar_refuses_negative_counts():
    with pytest.raises(ValueError, match="negative"):
        mcnemar_exact(-1, 3)


@cache
def decided(n, won, lost):
    """The interval, and whether it and the test together say that the first model is better."""
    interval = tango_interval(PairedCounts(n=n, won=won, lost=lost))
    return interval, interval.low > 0.0 and mcnemar_exact(won, lost) < ALPHA


@cache
def low_of_90_percent(n, won, lost):
    return tango_interval(PairedCounts(n=n, won=won, lost=lost), 0.9).low


def exact_rates(n, won_share, lost_share):
    """Over every table of n rows: the chance that the interval covers, and that a win is declared."""
    covered = wins = 0.0
    for discordant, weight in enumerate(stats.binom.pmf(range(n + 1), n, won_share + lost_share)):
        chances = stats.binom.pmf(range(discordant + 1), discordant, won_share / (won_share + lost_share))
        for won, chance in enumerate(chances):
            interval, win = decided(n, won, discordant - won)
            covered += weight * chance * (interval.low <= won_share - lost_share <= interval.high)
            wins += weight * chance * win
    return covered, wins


@pytest.mark.parametrize(
    ("won_share", "lost_share"),
    [(0.05, 0.05), (0.1, 0.05), (0.2, 0.1), (0.15, 0.15), (0.3, 0.3), (0.4, 0.1)],
)
def test_tango_covers_close_to_95_percent_over_all_tables_of_60_rows(won_share, lost_share):
    covered, _ = exact_rates(60, won_share, lost_share)
    assert 0.935 <= covered <= 0.975


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.2, 0.3, 0.45])
def test_equal_models_win_at_most_at_half_of_alpha_over_all_tables_of_60_rows(share):
    _, wins = exact_rates(60, share, share)
    assert wins <= ALPHA / 2


@pytest.mark.parametrize(("n", "margin"), [(60, 0.1), (100, 0.05), *of_the_soak((140, 0.02), (200, 0.02))])
@pytest.mark.parametrize("won_share", [0.0001, 0.01, 0.02, 0.05, 0.1])
def test_a_model_that_is_worse_by_the_margin_seldom_looks_as_good(n, margin, won_share):
    """The exact size of the claim of one side at 5%: the lower end of the 90% interval above minus the margin."""
    claimed = 0.0
    for lost in range(n // 3):
        for won in range(min(n - lost, n // 3)):
            if low_of_90_percent(n, won, lost) > -margin:
                claimed += stats.multinomial.pmf(
                    [won, lost, n - won - lost], n, [won_share, won_share + margin, 1 - 2 * won_share - margin]
                )
    assert claimed <= 0.06


def simulated(n, won_share, lost_share, times, seed):
    rng = random.Random(seed)
    for _ in range(times):
        won = rng.binomialvariate(n, won_share)
        yield won, rng.binomialvariate(n - won, lost_share / (1.0 - won_share))


def test_simulated_coverage_at_1000_rows_is_95_percent():
    within = 0
    for won, lost in simulated(1000, 0.12, 0.08, 4000, seed=11):
        low, high = decided(1000, won, lost)[0]
        within += low <= 0.04 <= high
    assert within / 4000 == pytest.approx(0.95, abs=0.012)


def test_simulated_false_wins_at_1000_rows_are_at_most_alpha():
    wins = sum(decided(1000, won, lost)[1] for won, lost in simulated(1000, 0.1, 0.1, 4000, seed=12))
    assert 0 < wins / 4000 <= ALPHA
