"""Compare three runs of one eval on one set of rows, row by row.

In: the outcomes of teacher, baseline and distilled model by row. Out: the evidence of design part 7: scores
with Wilson's intervals, the gain with Tango's, the exact McNemar p, the gap closed, rows won and lost, slices
that got worse.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from foundation.outcomes import Outcome
from foundation.statistics import (
    Interval,
    Outcomes,
    PairedCounts,
    cluster_interval,
    gap_closed,
    holm,
    mcnemar_exact,
    ratio_interval,
    tango_interval,
    wilson,
)

_LEAST_SLICE = 20
_MOST_VALUES = 50
_ALPHA = 0.05

type ByRow = Mapping[str, Outcome]


@dataclass(frozen=True)
class Score:
    """How one model did on the common rows."""

    passed: int
    total: int
    interval: Interval

    @property
    def score(self) -> float:
        return self.passed / self.total if self.total else 0.0


@dataclass(frozen=True)
class Slice:
    """The gain on the rows with one tag; `p_value` is Holm's over all slices."""

    tag: str
    rows: int
    gain: float
    interval: Interval
    p_value: float

    @property
    def worse(self) -> bool:
        return self.gain < 0 and self.p_value < _ALPHA


@dataclass(frozen=True)
class Evidence:
    """Everything that the decision looks at, and what people are shown beside it."""

    rows: int
    dropped: int
    scores: dict[str, Score]
    counts: PairedCounts
    gain_interval: Interval | None
    p_value: float
    against_teacher: Interval | None
    gap_closed: float | None
    gap_closed_interval: Interval | None
    won: list[str]
    lost: list[str]
    slices: list[Slice]


def compare(teacher: ByRow, baseline: ByRow, distilled: ByRow, *, seed: int, group_by: str | None = None) -> Evidence:
    """The evidence on the rows that all three runs graded; a row that one of them could not grade leaves all three."""
    every = [row for row in distilled if row in baseline and row in teacher]
    common = [row for row in every if not any(run[row].errored for run in (teacher, baseline, distilled))]
    runs = {"teacher": teacher, "baseline": baseline, "distilled": distilled}
    scores = {role: _score([run[row].passed for row in common]) for role, run in runs.items()}
    to_baseline = [(distilled[row].passed, baseline[row].passed) for row in common]
    to_teacher = [(distilled[row].passed, teacher[row].passed) for row in common]
    counts = PairedCounts.of(to_baseline)
    triples = [Outcomes(teacher[row].passed, baseline[row].passed, distilled[row].passed) for row in common]
    groups = [distilled[row].metadata.get(group_by, row) for row in common] if group_by else None
    largest = max(len(run) for run in runs.values())
    return Evidence(
        rows=len(common),
        dropped=largest - len(common),
        scores=scores,
        counts=counts,
        gain_interval=_interval(to_baseline, groups, seed=seed),
        p_value=mcnemar_exact(counts.won, counts.lost),
        against_teacher=_interval(to_teacher, groups, seed=seed),
        gap_closed=gap_closed(triples),
        # Its bootstrap draws single rows: with groups it would claim to know more than it does.
        gap_closed_interval=ratio_interval(triples, seed=seed) if triples and not groups else None,
        won=[distilled[row].item_id for row in common if distilled[row].passed > baseline[row].passed],
        lost=[distilled[row].item_id for row in common if distilled[row].passed < baseline[row].passed],
        slices=_slices(common, baseline, distilled),
    )


def _score(passed: list[bool]) -> Score:
    return Score(sum(passed), len(passed), wilson(sum(passed), len(passed)))


def _interval(pairs: list[tuple[bool, bool]], groups: list[str] | None, *, seed: int) -> Interval | None:
    """Tango's interval; by clusters where rows come in groups, None where there are too few of those."""
    if groups is None:
        return tango_interval(PairedCounts.of(pairs))
    clusters: dict[str, list[float]] = defaultdict(list)
    for group, (ours, theirs) in zip(groups, pairs, strict=True):
        clusters[group].append(float(ours) - float(theirs))
    return cluster_interval(clusters, seed=seed)


def _slices(rows: list[str], baseline: ByRow, distilled: ByRow) -> list[Slice]:
    """The gain by every metadata tag that some rows carry and others do not."""
    tagged: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for name, value in distilled[row].metadata.items():
            tagged[name][value].append(row)
    found = [
        (f"{name}={value}", PairedCounts.of((distilled[row].passed, baseline[row].passed) for row in some))
        for name, values in tagged.items()
        if len(values) <= _MOST_VALUES
        for value, some in values.items()
        if _LEAST_SLICE <= len(some) < len(rows)
    ]
    adjusted = holm([mcnemar_exact(counts.won, counts.lost) for _, counts in found])
    return [
        Slice(tag, counts.n, counts.gain, tango_interval(counts), p_value)
        for (tag, counts), p_value in zip(found, adjusted, strict=True)
    ]
