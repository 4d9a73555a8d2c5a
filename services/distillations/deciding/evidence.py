"""The evidence of a verdict: three runs of one eval on one set of rows, row by row.

In: the outcomes of teacher, baseline and distilled model by row. Out: scores with Wilson's intervals, the gain with
Tango's, the exact McNemar p, the share of the gap that is closed, rows won and lost, the gain by slice and by grader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from distillations.roles import Role
from evals.figures import ALPHA
from evals.gains import ONE_SIDED, OutcomeByRow, PairedSlice, Score, gain_of_pairs, groups_of, slice_gains
from stats import Interval, PairedCounts, RowPasses, gap_closed, mcnemar_exact, ratio_interval


@dataclass(frozen=True)
class Evidence:
    """All figures that the decision rests on, and further ones that people are shown.

    `rows` were graded by all three runs, `dropped` were not; gains are shares of `rows`.
    """

    rows: int
    dropped: int
    scores: dict[Role, Score]
    counts: PairedCounts
    gain_interval: Interval | None
    p_value: float
    against_teacher: Interval | None
    noninferiority_bound: float | None
    gap_closed: float | None
    gap_closed_interval: Interval | None
    won: list[str]
    lost: list[str]
    slices: list[PairedSlice]
    common: list[str]
    """The names of those rows."""
    looks: int
    """How many verdicts these rows have served, this one among them; the two corrected figures are for as many."""
    corrected_p_value: float
    corrected_interval: Interval | None


def gather(
    teacher: OutcomeByRow,
    baseline: OutcomeByRow,
    distilled: OutcomeByRow,
    *,
    seed: int,
    group_by: str | None = None,
    looks: int = 1,
) -> Evidence:
    """The evidence on the rows that all three runs graded; a row that one of them could not grade leaves all three."""
    shared = [row for row in distilled if row in baseline and row in teacher]
    common = [row for row in shared if not any(run[row].errored for run in (teacher, baseline, distilled))]
    runs: dict[Role, OutcomeByRow] = {"teacher": teacher, "baseline": baseline, "distilled": distilled}
    scores = {role: Score.of([run[row].passed for row in common]) for role, run in runs.items()}
    to_baseline = [(distilled[row].passed, baseline[row].passed) for row in common]
    to_teacher = [(distilled[row].passed, teacher[row].passed) for row in common]
    counts = PairedCounts.of(to_baseline)
    triples = [RowPasses(teacher[row].passed, baseline[row].passed, distilled[row].passed) for row in common]
    groups = groups_of(common, distilled, group_by)
    one_sided = _interval(to_teacher, groups, seed, confidence=ONE_SIDED)
    slices, _ = slice_gains(common, distilled, baseline, seed=seed, group_by=group_by)
    largest = max(len(run) for run in runs.values())
    p_value = mcnemar_exact(counts.won, counts.lost)
    return Evidence(
        rows=len(common),
        dropped=largest - len(common),
        scores=scores,
        counts=counts,
        gain_interval=_interval(to_baseline, groups, seed),
        p_value=p_value,
        against_teacher=_interval(to_teacher, groups, seed),
        noninferiority_bound=one_sided.low if one_sided else None,
        gap_closed=gap_closed(triples),
        # Its bootstrap draws single rows; for grouped rows the interval would be too narrow.
        gap_closed_interval=ratio_interval(triples, seed=seed) if triples and not groups else None,
        won=[distilled[row].item_id for row in common if distilled[row].passed > baseline[row].passed],
        lost=[distilled[row].item_id for row in common if distilled[row].passed < baseline[row].passed],
        slices=slices,
        common=common,
        looks=looks,
        corrected_p_value=min(1.0, p_value * looks),
        corrected_interval=_interval(to_baseline, groups, seed, confidence=1.0 - ALPHA / looks),
    )


def _interval(
    pairs: Sequence[tuple[bool, bool]], groups: list[str] | None, seed: int, *, confidence: float = 0.95
) -> Interval | None:
    return gain_of_pairs(pairs, seed=seed, groups=groups, confidence=confidence).interval
