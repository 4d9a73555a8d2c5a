import math
import random
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stats import ComparedRow, fewest_rows, safe_threshold
from stats.risk_control import _bets
from tests.examples import examples

LOSSES = st.sampled_from([-1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
SURENESS = st.one_of(st.none(), st.integers(0, 5).map(float), st.floats(0.0, 1.0))
ROWS = st.lists(st.builds(ComparedRow, SURENESS, LOSSES), max_size=400)
# What a model loses as it grows less sure: the sure 60% win as often as they lose.
WORSE, BETTER = (0.002, 0.02, 0.25), (0.002, 0.01, 0.02)
BEGINS = (0.0, 0.6, 0.8, 1.0)


def at(unsure):
    """How probable it is that a row of this unsureness, 0 to 1, is answered worse, and better."""
    part = sum(begin <= unsure for begin in BEGINS[1:-1])
    return WORSE[part], BETTER[part]


def drawn(rows, dice, chances=at):
    for _ in range(rows):
        unsure, lot = dice.random(), dice.random()
        worse, better = chances(unsure)
        yield ComparedRow(1.0 - unsure, float(lot < worse) - float(worse <= lot < worse + better))


def true_loss(threshold):
    """The expected loss where rows of this confidence and above are kept."""
    pieces = zip(BEGINS, BEGINS[1:], WORSE, BETTER, strict=False)
    unsure = 1.0 - threshold
    return sum(max(0.0, min(end, unsure) - begin) * (worse - better) for begin, end, worse, better in pieces)


def kept_of(rows, found):
    return [row for row in rows if row.confidence is not None and row.confidence >= found.threshold]


def test_the_promise_holds_in_95_of_100_and_keeps_what_is_sure():
    found = [safe_threshold(drawn(1_000, random.Random(seed)), margin=0.02) for seed in range(100)]
    held = [one is None or true_loss(one.threshold) <= 0.02 for one in found]
    assert sum(held) >= 95
    assert sum(one.share for one in found if one) / 100 > 0.6
    assert true_loss(0.0) > 0.04


def test_it_is_rarely_fooled_where_every_answer_that_is_kept_costs_more_than_the_margin():
    """The worst case: each threshold loses a little more than the margin, however few of the rows it keeps."""
    sure = [0.9 + number / 1_000 for number in range(100)]

    def fooled(seed):
        dice = random.Random(seed)
        rows = [ComparedRow(1.0 if dice.random() < 0.1 else dice.choice(sure), 0.0) for _ in range(300)]
        lost = [row._replace(loss=float(dice.random() < 0.31)) if row.confidence == 1.0 else row for row in rows]
        return safe_threshold(lost, margin=0.03) is not None

    assert sum(map(fooled, range(200))) <= 10


def test_with_more_rows_more_is_kept():
    shares = [safe_threshold(drawn(rows, random.Random(7)), margin=0.02).share for rows in (400, 2_000, 10_000)]
    assert shares == sorted(shares)
    assert shares[0] > 0.3
    assert shares[-1] == pytest.approx(0.86, abs=0.04)


def test_a_model_that_wins_where_it_is_unsure_keeps_all():
    rows = list(drawn(1_000, random.Random(1), lambda unsure: (0.01, 0.05 if unsure > 0.5 else 0.01)))
    found = safe_threshold(rows, margin=0.02)
    assert found.kept == found.rows == 1_000
    assert found.loss < 0.0


@settings(max_examples=examples(60))
@given(ROWS, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_ties_are_kept_together(rows, dice):
    found = safe_threshold(rows, margin=0.05)
    shuffled = rows[:]
    dice.shuffle(shuffled)
    again = safe_threshold(shuffled, margin=0.05)
    assert (found and (found.threshold, found.kept)) == (again and (again.threshold, again.kept))
    if found:
        kept = kept_of(rows, found)
        assert found.kept == len(kept)
        assert found.loss == pytest.approx(sum(row.loss for row in kept) / len(rows))
        assert found.threshold in {row.confidence for row in rows}


@settings(max_examples=examples(60))
@given(ROWS, st.floats(0.01, 0.2), st.data())
def test_a_row_that_is_won_keeps_no_less(rows, margin, data):
    found = safe_threshold(rows, margin=margin)
    before = found.kept if found else 0
    if rows:
        better = [*rows]
        number = data.draw(st.integers(0, len(rows) - 1))
        better[number] = rows[number]._replace(loss=-1.0)
        after = safe_threshold(better, margin=margin)
        assert (after.kept if after else 0) >= before


@pytest.mark.parametrize(("margin", "confidence"), [(0.0, 0.9), (0.05, 0.95), (0.3, 0.8)])
def test_the_bets_gain_nothing_in_the_mean_at_the_margin(margin, confidence):
    """All outcomes of four rows whose mean loss is the margin, in whole numbers."""
    exactly = Fraction(margin)
    for better in (Fraction(0), (1 - exactly) / 2):
        chances = {-1: better, 0: 1 - 2 * better - exactly, 1: better + exactly}
        bets = [Fraction(bet) for bet in _bets(4, margin, confidence)]
        mean = Fraction(0)
        for outcome in product(chances, repeat=4):
            stake = sum(math.prod(1 + bet * (exactly - loss) for loss in outcome) for bet in bets) / len(bets)
            assert stake > 0
            mean += stake * math.prod(chances[loss] for loss in outcome)
        assert mean == 1


def test_too_few_rows_promise_nothing_however_good_they_are():
    fewest = fewest_rows(margin=0.02)
    all_equal = [ComparedRow(0.5, 0.0)] * fewest
    assert 150 < fewest < 250
    assert safe_threshold(all_equal, margin=0.02).share == 1.0
    assert safe_threshold(all_equal[1:], margin=0.02) is None
    assert safe_threshold([], margin=0.02) is None
    assert fewest_rows(margin=0.0) is None
    assert fewest_rows(margin=0.02, confidence=0.99) > fewest


def test_what_is_not_known_is_never_kept():
    rows = [ComparedRow(None, 1.0), ComparedRow(math.nan, 1.0), *[ComparedRow(-0.1, 0.0)] * 400]
    found = safe_threshold(rows, margin=0.02)
    assert (found.threshold, found.kept, found.rows, found.loss) == (-0.1, 400, 402, 0.0)
    assert safe_threshold([ComparedRow(None, 0.0)] * 1_000, margin=0.02) is None


def test_a_model_that_is_worse_where_it_is_surest_keeps_nothing():
    assert safe_threshold([ComparedRow(float(n > 900), float(n > 900)) for n in range(1_000)], margin=0.02) is None


def test_without_a_margin_nothing_can_be_promised():
    """However good the rows were, among those that no row was as sure as may be some that lose."""
    assert safe_threshold([ComparedRow(1.0, -1.0)] * 1_000, margin=0.0) is None


def test_too_few_rows_promise_nothing_where_the_model_won_all_of_them_either():
    """Nobody knows of answers that are surer than all of these: they might come later, and lose."""
    assert safe_threshold([ComparedRow(1.0, -1.0)] * 220, margin=0.02) is None
    assert safe_threshold([ComparedRow(1.0, -1.0)] * 221, margin=0.02).share == 1.0


@pytest.mark.parametrize(
    ("rows", "margin", "confidence"),
    [
        ([ComparedRow(0.5, 1.5)], 0.02, 0.95),
        ([ComparedRow(0.5, math.nan)], 0.02, 0.95),
        ([], -0.1, 0.95),
        ([], 1.0, 0.95),
        ([], math.nan, 0.95),
        ([], 0.02, 1.0),
        ([], 0.02, 0.0),
    ],
)
def test_impossible_arguments_are_refused(rows, margin, confidence):
    with pytest.raises(ValueError, match=r"expected|must lie"):
        safe_threshold(rows, margin=margin, confidence=confidence)
