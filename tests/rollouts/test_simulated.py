"""Simulated rollouts, seeded, looked at after every pair: false rollbacks, power, and a candidate made worse half-way.

docs/explanation/rollouts.md has the figures of a thousand each; here a few run, and all with `--soak`.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import pytest

from rollouts.rollout import Rollout
from tests.rollouts.simulated import Outcome, simulate

ALPHA = 0.01


def outcomes(runs: int, stable: float, candidate: Callable[[Rollout], float] | float, **how: float) -> list[Outcome]:
    return [simulate(seed, stable, candidate, **how) for seed in range(runs)]


def ninth_tenth(values: list[int]) -> int:
    return sorted(values)[int(0.9 * len(values))]


@pytest.mark.soak
@pytest.mark.parametrize(("fails", "a_minute"), [(0.12, 5.0), (0.02, 5.0), (0.12, 15.0)])
def test_a_model_that_is_as_good_is_promoted_and_hardly_ever_rolled_back(
    fails: float, a_minute: float, soak: bool
) -> None:
    """Five stages, each judged after every pair; at 15 pairs a minute each stage has two windows."""
    runs = 1000 if soak else round(15 / a_minute)
    ended = outcomes(runs, fails, fails, a_minute=a_minute)
    assert sum(outcome.status == "rolled_back" for outcome in ended) < ALPHA * runs
    assert sum(outcome.status == "promoted" for outcome in ended) >= 0.98 * runs


@pytest.mark.soak
@pytest.mark.parametrize(
    ("stable", "candidate", "median", "most"),
    [(0.12, 0.40, 120, 200), (0.02, 0.50, 40, 60), (0.12, 0.24, 550, 1100)],
)
def test_a_worse_model_is_rolled_back_in_the_shadow_within_the_pairs_that_are_stated(
    stable: float, candidate: float, median: int, most: int, soak: bool
) -> None:
    ended = outcomes(1000 if soak else 9, stable, candidate)
    assert {outcome.status for outcome in ended} == {"rolled_back"}
    assert statistics.median(outcome.pairs for outcome in ended) <= median
    assert ninth_tenth([outcome.pairs for outcome in ended]) <= most


@pytest.mark.soak
@pytest.mark.parametrize(("stable", "worse", "most"), [(0.12, 0.40, 250), (0.02, 0.50, 80)])
def test_a_candidate_made_worse_half_way_is_rolled_back_soon(
    stable: float, worse: float, most: int, soak: bool
) -> None:
    """It is as good as before until it answers a quarter of the calls."""
    quarter = 3
    ended = outcomes(1000 if soak else 2, stable, lambda going: worse if going.stage >= quarter else stable)
    assert {outcome.status for outcome in ended} == {"rolled_back"}
    assert ninth_tenth([outcome.since_worse for outcome in ended]) <= most
