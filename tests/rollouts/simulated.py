"""Simulated rollouts: seeded models that fail by chance, and the rules as they are, asked after every pair.

Time passes with the pairs, so many a minute. Nothing is stored: the steps that `next_step` says are due are taken on
the row in memory as `moving` takes them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

from rollouts.gates import Gates
from rollouts.judging import alpha_of
from rollouts.next_step import PAIRS_OF_A_WINDOW, Due, Known, due
from rollouts.rollout import Rollout, Window
from tests.rollouts.build import AT, rollout

_MALFORMED, _ERRORS = 0.01, 0.005


class Outcome(NamedTuple):
    """How a simulated rollout ended, after how many pairs, and how many answers of the candidate users got."""

    status: str
    pairs: int
    users: float
    stage: int
    since_worse: int


class _Counts:
    """What was counted in a window."""

    def __init__(self) -> None:
        self.quality, self.malformed = [0, 0, 0], [0, 0, 0]
        self.errors = self.asked = 0

    def add(self, rng: random.Random, stable: float, candidate: float) -> bool:
        """Count a pair. Returns whether the candidate was worse in anything."""
        self.asked += 1
        if rng.random() < _ERRORS:
            self.errors += 1
            return True
        fails = (rng.random() < candidate) - (rng.random() < stable)
        malformed = (rng.random() < _MALFORMED) - (rng.random() < _MALFORMED)
        self.quality[1 + fails] += 1
        self.malformed[1 + malformed] += 1
        return fails > 0 or malformed > 0

    @property
    def pairs(self) -> int:
        return sum(self.quality)

    @property
    def excess(self) -> int:
        """How much more often the candidate failed."""
        return self.quality[2] - self.quality[0]

    @property
    def tally(self) -> Any:
        """It as the rules read it; the models' checks would take most of the time."""
        return SimpleNamespace(
            quality=_differences(self.quality),
            malformed=_differences(self.malformed),
            stable=SimpleNamespace(failed=0, malformed=0),
            candidate=SimpleNamespace(asked=self.asked, errors=self.errors, failed=0, malformed=0),
            spent_nanodollars=0,
        )


def _differences(counts: list[int]) -> Any:
    better, same, worse = counts
    return SimpleNamespace(worse=worse, same=same, better=better, pairs=better + same + worse)


def simulate(
    seed: int,
    stable: float,
    candidate: Callable[[Rollout], float] | float,
    *,
    a_minute: float = 5.0,
    most: int = 20_000,
    min_minutes: int = 60,
) -> Outcome:
    """One rollout, to its end or to so many pairs. `candidate` may say how often it fails in each stage."""
    rng, at = random.Random(seed), float(AT)
    going = rollout(min_minutes=min_minutes)
    counts, tallies, users, since_worse = _Counts(), {}, 0.0, 0
    before = 0, 0  # The pairs of the stage before the current window, and how much more often the candidate failed.
    for pairs in range(1, most + 1):
        at += 60.0 / a_minute
        fails = candidate(going) if callable(candidate) else candidate
        is_worse = counts.add(rng, stable, fails)
        users += going.percent / 100
        since_worse += fails > stable
        stage_pairs, stage_excess = before[0] + counts.pairs, before[1] + counts.excess
        is_early = at < going.stage_since + min_minutes * 60 or stage_excess > stage_pairs * going.gates.quality_margin
        if not is_worse and is_early and counts.pairs < PAIRS_OF_A_WINDOW:
            continue  # Nothing is due after such a pair that was not before it.
        tallies[going.window] = counts.tally
        known = Known(tallies, int(at), going.alias_version, int(at))
        step = due(going, known)
        if step is None:
            continue
        if step.kind in {"rolled_back", "promoted"}:
            return Outcome(step.kind, pairs, users, going.stage, since_worse)
        before = (0, 0) if step.kind == "advanced" else (stage_pairs, stage_excess)
        going, counts = _after(going, step, int(at)), _Counts()
    return Outcome("running", most, users, going.stage, since_worse)


def _after(going: Rollout, step: Due, at: int) -> Rollout:
    stage = going.stage + (step.kind == "advanced")
    window = Window(stage=stage, since=at, alpha=alpha_of(going.window + 1, Gates()))
    since = at if step.kind == "advanced" else going.stage_since
    return going.model_copy(update={"stage": stage, "stage_since": since, "windows": [*going.windows, window]})
