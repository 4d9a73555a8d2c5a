"""The gain of one run over another on the rows that both graded: how much more the first passes, and how sure that is.

In: the outcomes of both runs by row. Out: the gain with its interval and p, the interval of a difference of scores, and
the gain in each slice, whose p-values are Holm's over all slices. If rows come in groups, the rows of a group are
treated as dependent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from evals.figures import ALPHA, Finding
from evals.outcomes import RowOutcome
from evals.slicing import LeftOut, slices
from stats import (
    MIN_CLUSTERS,
    Interval,
    PairedCounts,
    cluster_interval,
    clustered_p,
    holm,
    mcnemar_exact,
    paired_bca,
    tango_interval,
    wilson,
)

DRAWS = 10_000
ONE_SIDED = 0.9
"""Each end of a 90% interval is a bound with 95% confidence."""
# Fewer draws than for the whole: no claim rests on a slice's interval, and there may be many slices.
_DRAWS_OF_A_SLICE = 2_000
_LEAST_PAIRS = 2

type OutcomeByRow = Mapping[str, RowOutcome]
type Pairs = Sequence[tuple[bool, bool]]
type Groups = Sequence[str] | None


@dataclass(frozen=True)
class Score:
    """How many of its rows a run passed."""

    passed: int
    total: int
    interval: Interval

    @classmethod
    def of(cls, passed: Sequence[bool]) -> Score:
        return cls(sum(passed), len(passed), wilson(sum(passed), len(passed)))

    @property
    def score(self) -> float:
        return self.passed / self.total if self.total else 0.0


@dataclass(frozen=True)
class Gain:
    """How much more one run passes than another. `interval` is None if there are too few groups for one."""

    counts: PairedCounts
    interval: Interval | None
    p_value: float

    @property
    def finding(self) -> Finding:
        """`better` or `worse` if the interval excludes 0 and p is below 0.05, else `noise`."""
        if self.interval is None or self.p_value >= ALPHA:
            return "noise"
        if self.interval.low > 0:
            return "better"
        return "worse" if self.interval.high < 0 else "noise"


@dataclass(frozen=True)
class PairedSlice:
    """The gain on the rows with one tag; `adjusted_p_value` is Holm's over all slices."""

    key: str
    value: str
    unadjusted: Gain
    adjusted_p_value: float

    @property
    def tag(self) -> str:
        return f"{self.key}={self.value}"

    @property
    def rows(self) -> int:
        return self.unadjusted.counts.n

    @property
    def gain(self) -> float:
        return self.unadjusted.counts.gain

    @property
    def interval(self) -> Interval | None:
        return self.unadjusted.interval

    @property
    def finding(self) -> Finding:
        """By the adjusted p alone: a slice's interval is not adjusted for the number of slices."""
        if self.adjusted_p_value >= ALPHA or not self.gain:
            return "noise"
        return "better" if self.gain > 0 else "worse"

    @property
    def worse(self) -> bool:
        return self.finding == "worse"


def gain_of_pairs(
    pairs: Pairs, *, seed: int, groups: Groups = None, draws: int = DRAWS, confidence: float = 0.95
) -> Gain:
    """The gain over (first passed, second passed) of each row.

    Interval and p are Tango's and McNemar's; for rows in groups they are the cluster bootstrap's and Durkalski's.
    """
    counts = PairedCounts.of(pairs)
    if groups is None:
        return Gain(counts, tango_interval(counts, confidence), mcnemar_exact(counts.won, counts.lost))
    clusters = _clusters((float(first) - float(second) for first, second in pairs), groups)
    # With few groups the normal approximation gives p-values that are too small.
    p_value = clustered_p(map(sum, clusters.values())) if len(clusters) >= MIN_CLUSTERS else 1.0
    interval = cluster_interval(clusters, seed=seed, draws=draws, confidence=confidence)
    return Gain(counts, interval, p_value)


def score_interval(
    first: Sequence[float], second: Sequence[float], *, seed: int, groups: Groups = None
) -> Interval | None:
    """Interval of the mean of first - second; None where rows or groups are too few."""
    if groups is not None:
        differences = (ours - theirs for ours, theirs in zip(first, second, strict=True))
        return cluster_interval(_clusters(differences, groups), seed=seed)
    return paired_bca(first, second, seed=seed) if len(first) >= _LEAST_PAIRS else None


def groups_of(rows: Iterable[str], outcomes: OutcomeByRow, group_by: str | None) -> list[str] | None:
    """The group of each row by the tag `group_by`; a row without the tag is a group of its own."""
    return [outcomes[row].tags.get(group_by, row) for row in rows] if group_by else None


def slice_gains(
    rows: Sequence[str],
    ours: OutcomeByRow,
    theirs: OutcomeByRow,
    *,
    keys: Iterable[str] = (),
    seed: int = 0,
    group_by: str | None = None,
) -> tuple[list[PairedSlice], list[LeftOut]]:
    """The gain by every tag that some of our rows have and others do not, and which tags are left out.

    The tag that rows are grouped by makes slices only if `keys` names it: each would be a single group, without an
    interval.
    """
    chosen = list(keys)
    tags = {row: _sliced_by(ours[row].tags, chosen, group_by) for row in rows}
    shown, left_out = slices(tags, chosen)
    gains = [
        gain_of_pairs(
            [(ours[row].passed, theirs[row].passed) for row in slice_.rows],
            seed=seed,
            groups=groups_of(slice_.rows, ours, group_by),
            draws=_DRAWS_OF_A_SLICE,
        )
        for slice_ in shown
    ]
    adjusted = holm([gain.p_value for gain in gains])
    return [
        PairedSlice(slice_.key, slice_.value, gain, p_value)
        for slice_, gain, p_value in zip(shown, gains, adjusted, strict=True)
    ], left_out


def _sliced_by(tags: Mapping[str, str], keys: list[str], group_by: str | None) -> Mapping[str, str]:
    return {key: value for key, value in tags.items() if (key in keys if keys else key != group_by)}


def _clusters(differences: Iterable[float], groups: Sequence[str]) -> dict[str, list[float]]:
    clusters: dict[str, list[float]] = defaultdict(list)
    for group, difference in zip(groups, differences, strict=True):
        clusters[group].append(difference)
    return clusters
