"""Evidence that may be looked at after every observation: against exact arithmetic, chance and effects."""

import math
import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.evidence import log_evidence, running_interval, shows
from tests.examples import examples

ALPHA = 0.01
MARGIN = 0.02
BETS = (0.9, 0.5, 0.25, 0.12, 0.06, 0.03)
differences = st.dictionaries(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), st.integers(0, 50))


def exactly(worse: int, same: int, better: int, margin: Fraction) -> Fraction:
    """The e-value by the definition, in fractions: what one dollar has become, on the average over the bets."""
    wealths = [
        (1 + bet * (1 - margin)) ** worse * (1 - bet * margin) ** same * (1 - bet * (1 + margin)) ** better
        for bet in (Fraction(str(bet)) / (1 + margin) for bet in BETS)
    ]
    return sum(wealths, Fraction()) / len(wealths)


def exceeded(p_worse: float, p_better: float, horizon: int, alpha: float) -> tuple[float, float]:
    """The exact probability that evidence ever exceeds 1 / alpha within the horizon, and its mean where it stops.

    All paths of wins and losses are followed together, by their counts; a path ends where it exceeds.
    """
    paths, ended, mean = {(0, 0): 1.0}, 0.0, 0.0
    for number in range(1, horizon + 1):
        following: dict[tuple[int, int], float] = Counter()
        for (worse, better), probability in paths.items():
            following[worse + 1, better] += probability * p_worse
            following[worse, better + 1] += probability * p_better
            following[worse, better] += probability * (1 - p_worse - p_better)
        paths = {}
        for (worse, better), probability in following.items():
            evidence = log_evidence({1.0: worse, -1.0: better, 0.0: number - worse - better}, MARGIN)
            if evidence >= -math.log(alpha):
                ended, mean = ended + probability, mean + probability * math.exp(evidence)
            else:
                paths[worse, better] = probability
                mean += probability * math.exp(evidence) * (number == horizon)
    return ended, mean


def first_shown(rng: random.Random, stable: float, candidate: float, most: int) -> int | None:
    """After how many pairs the candidate's failures are shown to be more, looked at after every one."""
    seen: Counter[float] = Counter()
    for number in range(1, most + 1):
        seen[float((rng.random() < candidate) - (rng.random() < stable))] += 1
        if shows(seen, MARGIN, ALPHA):
            return number
    return None


@pytest.mark.parametrize(("worse", "same", "better"), [(1, 0, 1), (10, 0, 0), (7, 80, 3), (0, 5, 40), (31, 200, 12)])
def test_it_is_what_a_dollar_has_become_by_bets_of_fixed_parts(worse, same, better):
    seen = {1.0: worse, 0.0: same, -1.0: better}
    expected = float(exactly(worse, same, better, Fraction(1, 50)))
    assert log_evidence(seen, MARGIN) == pytest.approx(math.log(expected))


def test_nothing_seen_is_no_evidence():
    assert log_evidence({}, 0.3) == 0.0
    interval = running_interval({})
    assert (interval.low, interval.high) == pytest.approx((-1.0, 1.0))


@pytest.mark.parametrize(("p_worse", "p_better"), [(0.02, 0.0), (0.13, 0.11), (0.51, 0.49)])
def test_on_the_margin_chance_exceeds_it_with_probability_alpha_at_most(p_worse, p_better):
    """Exactly, without simulation: evidence is a fair game there, and Ville's inequality holds."""
    probability, mean = exceeded(p_worse, p_better, 40, alpha=0.1)
    assert mean == pytest.approx(1.0)
    assert 0.0 < probability <= 0.1


@given(differences, st.floats(-0.9, 0.9))
def test_evidence_falls_as_the_margin_grows(seen, margin):
    assert log_evidence(seen, margin) >= log_evidence(seen, margin + 0.05) - 1e-9


@given(differences)
def test_the_interval_holds_the_mean_that_was_seen_and_mirrors(seen):
    interval = running_interval(seen)
    count = sum(seen.values())
    mean = sum(difference * times for difference, times in seen.items()) / count if count else 0.0
    assert interval.low - 1e-9 <= mean <= interval.high + 1e-9
    mirrored = running_interval({-difference: times for difference, times in seen.items()})
    assert (mirrored.low, mirrored.high) == pytest.approx((-interval.high, -interval.low))


def test_the_interval_ends_where_evidence_just_suffices():
    seen = {1.0: 40, 0.0: 150, -1.0: 10}
    interval = running_interval(seen, confidence=0.98)
    assert shows(seen, interval.low - 1e-6, 0.01)
    assert not shows(seen, interval.low + 1e-6, 0.01)


@pytest.mark.parametrize(
    ("seen", "margin"), [({1.5: 1}, 0.0), ({0.0: -1}, 0.0), ({0.0: 1}, 1.0), ({float("nan"): 1}, 0.0)]
)
def test_what_cannot_be_is_refused(seen, margin):
    with pytest.raises(ValueError, match=r"must lie|lies from"):
        log_evidence(seen, margin)


@pytest.mark.parametrize(("stable", "candidate", "within"), [(0.12, 0.40, 150), (0.02, 0.50, 60)])
def test_a_worse_model_is_found_within_the_pairs_that_are_stated(stable, candidate, within):
    rng, runs = random.Random(11), examples(240)
    found = [first_shown(rng, stable, candidate, within) for _ in range(runs)]
    assert sum(at is not None for at in found) >= 0.85 * len(found)
