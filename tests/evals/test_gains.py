"""What a pair of runs is said to show, held against simulated pairs of which the truth is known."""

import random
from collections import Counter

import pytest

from evals.gains import Gain, gain_of_pairs, groups_of, score_interval, slice_gains
from evals.outcomes import RowOutcome
from stats import (
    Interval,
    PairedCounts,
    cluster_interval,
    clustered_p,
    mcnemar_exact,
    paired_bca,
    power_at,
    rows_needed,
    tango_interval,
)

ALPHA = 0.05


def pairs_of(rng, n, difference, discordance):
    """Rows of two runs with this true difference, that differ on this share of them."""
    won = (discordance + difference) / 2
    draws = (rng.random() for _ in range(n))
    return [(draw < won, won <= draw < discordance) for draw in draws]


def findings(times, n, difference, discordance, seed=1):
    rng = random.Random(seed)
    return Counter(gain_of_pairs(pairs_of(rng, n, difference, discordance), seed=1).finding for _ in range(times))


@pytest.mark.parametrize(("n", "discordance"), [(40, 0.5), (200, 0.1), (500, 0.3)])
def test_equal_runs_are_rarely_called_different(n, discordance):
    shares = findings(1500, n, 0.0, discordance)
    assert shares["better"] + shares["worse"] <= 1500 * (ALPHA + 0.011)
    assert shares["better"] <= 1500 * (ALPHA / 2 + 0.008)
    assert shares["worse"] <= 1500 * (ALPHA / 2 + 0.008)


@pytest.mark.parametrize(("difference", "discordance"), [(0.1, 0.3), (0.2, 0.2), (-0.1, 0.25)])
def test_a_difference_is_found_as_often_as_the_power_says(difference, discordance):
    n = rows_needed(abs(difference), discordance)
    shares = findings(800, n, difference, discordance)
    right, wrong = ("better", "worse") if difference > 0 else ("worse", "better")
    assert shares[right] / 800 == pytest.approx(power_at(n, difference, discordance), abs=0.04)
    assert shares[right] / 800 == pytest.approx(0.8, abs=0.06)
    assert shares[wrong] == 0


@pytest.mark.parametrize(
    ("interval", "p_value", "finding"),
    [
        (Interval(0.01, 0.2), 0.01, "better"),
        (Interval(-0.2, -0.01), 0.01, "worse"),
        (Interval(-0.01, 0.2), 0.01, "noise"),
        (Interval(0.0, 0.2), 0.01, "noise"),
        (Interval(0.01, 0.2), 0.05, "noise"),
        (None, 0.001, "noise"),
    ],
)
def test_a_finding_needs_the_interval_and_p(interval, p_value, finding):
    assert Gain(PairedCounts(10, 1, 0), interval, p_value).finding == finding


def test_without_groups_it_is_tango_and_mcnemar():
    gain = gain_of_pairs([(True, False)] * 9 + [(False, True)] * 2 + [(True, True)] * 30, seed=1)
    counts = PairedCounts(n=41, won=9, lost=2)
    assert gain == Gain(counts, tango_interval(counts), mcnemar_exact(9, 2))


# ------------------------------------------------------------------ groups


def grouped(rng, groups, size):
    """Rows of equal runs, of which all rows of a group have the same luck."""
    lucks = [rng.choice([(True, False), (False, True), (True, True)]) for _ in range(groups)]
    return [luck for luck in lucks for _ in range(size)], [str(group) for group in range(groups) for _ in range(size)]


def test_equal_runs_on_rows_that_depend_on_each_other_are_rarely_called_different():
    rng, times = random.Random(3), 400
    alone, together = Counter(), Counter()
    for _ in range(times):
        pairs, groups = grouped(rng, 30, 6)
        alone[gain_of_pairs(pairs, seed=1).finding] += 1
        together[gain_of_pairs(pairs, seed=1, groups=groups, draws=400).finding] += 1
    assert together["noise"] / times >= 1 - ALPHA - 0.025
    assert alone["noise"] / times < 0.7, "the groups matter here"


@pytest.mark.parametrize("groups", [12, 40])
def test_the_p_of_groups_is_uniform_enough(groups):
    rng = random.Random(4)
    p_values = [clustered_p(rng.choice([-3, -1, 0, 1, 2, -2, 1, -1, 3]) for _ in range(groups)) for _ in range(2000)]
    assert sum(p_value < ALPHA for p_value in p_values) / 2000 <= ALPHA + 0.012


def test_the_p_of_groups_by_hand():
    # Four groups won by 2, one lost by 1: z = 7 / sqrt(17).
    assert clustered_p([2, 2, 2, 2, -1]) == pytest.approx(0.08956, abs=1e-5)
    assert clustered_p([]) == clustered_p([0, 0]) == 1.0
    assert 0.0 < clustered_p([1] * 10_000) < 1e-300


def test_too_few_groups_show_nothing():
    gain = gain_of_pairs([(True, False)] * 50, seed=1, groups=[str(row % 5) for row in range(50)])
    assert (gain.interval, gain.p_value, gain.finding) == (None, 1.0, "noise")


def test_scores_are_paired_and_grouped():
    rng = random.Random(5)
    second = [rng.random() for _ in range(60)]
    first = [score + 0.1 * rng.random() for score in second]
    assert score_interval(first, second, seed=7) == paired_bca(first, second, seed=7)
    by_group = {str(group): [first[row] - second[row] for row in range(group, 60, 10)] for group in range(10)}
    groups = [str(row % 10) for row in range(60)]
    assert score_interval(first, second, seed=7, groups=groups) == cluster_interval(by_group, seed=7)
    assert score_interval([0.5], [0.25], seed=7) is None


# ------------------------------------------------------------------ slices


def run_of(passed, tags):
    return {
        str(row): RowOutcome(letter == "p", errored=False, item_id="", tags=tags[row])
        for row, letter in enumerate(passed)
    }


def test_slices_of_a_pair_are_corrected_together_and_by_groups():
    tags = [{"part": "a" if row < 60 else "b", "user": str(row // 3)} for row in range(120)]
    ours, theirs = run_of("p" * 60 + "f" * 60, tags), run_of("f" * 12 + "p" * 48 + "f" * 60, tags)
    slices, left_out = slice_gains(list(ours), ours, theirs, keys=["part"])
    assert left_out == []
    assert [(slice_.tag, slice_.rows, slice_.gain, slice_.finding) for slice_ in slices] == [
        ("part=a", 60, 0.2, "better"),
        ("part=b", 60, 0.0, "noise"),
    ]
    assert slices[0].adjusted_p_value == pytest.approx(2 * mcnemar_exact(12, 0))
    by_group, _ = slice_gains(list(ours), ours, theirs, keys=["part"], seed=1, group_by="user")
    assert by_group[0].unadjusted.p_value == clustered_p([3, 3, 3, 3])
    assert by_group[0].adjusted_p_value > slices[0].adjusted_p_value


def test_a_row_without_the_key_is_a_group_of_its_own():
    ours = run_of("ppp", [{"user": "u"}, {"user": "u"}, {}])
    assert groups_of(["0", "1", "2"], ours, "user") == ["u", "u", "2"]
    assert groups_of(["0"], ours, None) is None
