"""The slices of a run: where it does worse, or better, than on its other rows.

In: a completed run, and the keys to slice by. Out: a `SliceTable`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from evals.figures import ALPHA, Finding, PassRate, pass_rate
from evals.outcomes import RowOutcome, row_outcomes
from evals.run import Run
from evals.slicing import LeftOut, Slice, every_tag, named_tags, slices
from foundation.document import Document
from foundation.ids import now
from stats import Interval, fisher_exact, holm, newcombe_interval


class SliceFigures(PassRate):
    """One slice beside all other rows of the run."""

    key: str
    value: str
    rest: PassRate
    """The rows that are not in the slice."""
    difference: float
    """Pass rate of the slice minus that of the rest, from -1 to 1."""
    difference_interval: Interval
    """Newcombe's 95% interval of the difference."""
    p_value: float
    """Fisher's exact p."""
    adjusted_p_value: float
    """Holm's p over all slices."""
    finding: Finding
    """By the adjusted p."""


class SliceMethods(Document):
    """Which statistic each figure is."""

    interval: Literal["wilson"] = "wilson"
    difference_interval: Literal["newcombe"] = "newcombe"
    p_value: Literal["fisher"] = "fisher"
    adjusted: Literal["holm"] = "holm"


class SliceTable(PassRate):
    """The slices of one run, and the pass rate of all its rows."""

    object: Literal["eval.run.slices"] = "eval.run.slices"
    eval_id: str
    run_id: str
    created_at: int
    """Seconds UTC."""
    by: list[str]
    """The keys asked for; empty where every key was looked at."""
    errored: int
    """Rows that could not be graded; they are in no figure."""
    slices: list[SliceFigures]
    """The one that does worst beside the other rows first."""
    left_out: list[LeftOut]
    alpha: float
    """The level of every finding, two-sided."""
    methods: SliceMethods = SliceMethods()


class _FourCounts(NamedTuple):
    """Passed and graded rows of the slice, and of the rest."""

    passed: int
    rows: int
    rest_passed: int
    rest_rows: int


def slice_table(run: Run, by: list[str], *, check: Callable[[], None] = lambda: None) -> SliceTable:
    """By these keys, else by every metadata key and every scalar field of the items.

    `check` is called after each chunk that is read; its error ends the work.
    """
    outcomes = row_outcomes(run, named_tags(by) if by else every_tag, each_chunk=check)
    graded = {row: outcome for row, outcome in outcomes.items() if not outcome.errored}
    passed = sum(outcome.passed for outcome in graded.values())
    shown, left_out = slices({row: outcome.tags for row, outcome in graded.items()}, by)
    counts = [_counts(slice_, graded, passed) for slice_ in shown]
    p_values = [fisher_exact(*four) for four in counts]
    figures = [
        _figures(slice_, four, p_value, adjusted)
        for slice_, four, p_value, adjusted in zip(shown, counts, p_values, holm(p_values), strict=True)
    ]
    return SliceTable(
        **dict(pass_rate(passed, len(graded))),
        eval_id=run.eval_id,
        run_id=run.id,
        created_at=now(),
        by=by,
        errored=len(outcomes) - len(graded),
        slices=sorted(figures, key=lambda slice_: slice_.difference),
        left_out=left_out,
        alpha=ALPHA,
    )


def _counts(slice_: Slice, graded: Mapping[str, RowOutcome], passed: int) -> _FourCounts:
    within = sum(graded[row].passed for row in slice_.rows)
    return _FourCounts(within, len(slice_.rows), passed - within, len(graded) - len(slice_.rows))


def _figures(slice_: Slice, counts: _FourCounts, p_value: float, adjusted: float) -> SliceFigures:
    difference = counts.passed / counts.rows - counts.rest_passed / counts.rest_rows
    noise = adjusted >= ALPHA or not difference
    return SliceFigures(
        **dict(pass_rate(counts.passed, counts.rows)),
        key=slice_.key,
        value=slice_.value,
        rest=pass_rate(counts.rest_passed, counts.rest_rows),
        difference=difference,
        difference_interval=newcombe_interval(*counts),
        p_value=p_value,
        adjusted_p_value=adjusted,
        finding="noise" if noise else "better" if difference > 0 else "worse",
    )
