"""Compare two runs of one eval row by row.

In: two completed runs. Out: a `Comparison`. Rows pair by the completion's id, else by number where their items are
equal. Runs without a common graded row, and a `group_by` that no row has, are refused with ApiError.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from evals.comparison import Comparison, CriterionComparison, ItemPair, Methods, ScoreDifference, SliceComparison
from evals.eval import Eval
from evals.figures import ALPHA, CONFIDENCE, pass_rate
from evals.gains import (
    DRAWS,
    Gain,
    Groups,
    OutcomeByRow,
    PairedSlice,
    gain_of_pairs,
    groups_of,
    score_interval,
    slice_gains,
)
from evals.outcomes import Result, row_outcomes
from evals.run import Run
from evals.slicing import every_tag, named_tags, with_group
from foundation.errors import ApiError
from foundation.ids import derived_id, now
from graders import GraderModel
from stats import holm, rows_needed

_MOST_ITEMS = 500


class _PairedRows:
    """The rows that two runs have in common, with both runs' outcomes."""

    def __init__(self, ours: OutcomeByRow, theirs: OutcomeByRow, *, seed: int, group_by: str | None) -> None:
        self.ours = ours
        self.theirs = theirs
        self.seed = seed
        self.group_by = group_by
        self.shared = [row for row, outcome in ours.items() if row in theirs and outcome.content == theirs[row].content]
        self.graded = [row for row in self.shared if not ours[row].errored and not theirs[row].errored]

    def groups(self, rows: list[str]) -> Groups:
        return groups_of(rows, self.ours, self.group_by)


def compare_runs(
    run: Run,
    baseline: Run,
    *,
    group_by: str | None = None,
    slice_keys: list[str] | None = None,
    check: Callable[[], None] = lambda: None,
) -> Comparison:
    """Compare a completed run with another of its eval.

    Rows with the same value under `group_by` are treated as dependent. Without `slice_keys` every tag makes slices.
    `check` is called between the steps of the work; an error that it raises ends the work.
    """
    keys = slice_keys or []
    tags_of = named_tags(keys) if keys else every_tag
    tags_of = with_group(tags_of, group_by) if group_by else tags_of
    ours, theirs = (row_outcomes(compared, tags_of, each_chunk=check) for compared in (run, baseline))
    seed = int.from_bytes(derived_id("", run.id, baseline.id).encode()[:4])
    pairs = _PairedRows(ours, theirs, seed=seed, group_by=group_by)
    rows = pairs.graded
    _refuse_what_says_nothing(pairs)
    gain = gain_of_pairs(_passed(pairs), seed=seed, groups=pairs.groups(rows))
    by_slice, left_out = slice_gains(rows, ours, theirs, keys=keys, seed=seed, group_by=group_by)
    check()
    return Comparison(
        eval_id=run.eval_id,
        run_id=run.id,
        baseline_run_id=baseline.id,
        created_at=now(),
        finding=gain.finding,
        rows=len(rows),
        errored=len(pairs.shared) - len(rows),
        only_in_run=len(ours) - len(pairs.shared),
        only_in_baseline=len(theirs) - len(pairs.shared),
        run=pass_rate(sum(ours[row].passed for row in rows), len(rows)),
        baseline=pass_rate(sum(theirs[row].passed for row in rows), len(rows)),
        **_gain_figures(gain),
        discordance=gain.counts.discordance,
        # Dependent rows show less than as many independent ones; how many would be needed is not known.
        rows_needed=None if group_by else rows_needed(abs(gain.counts.gain), gain.counts.discordance),
        criteria=_criteria(Eval.load(run.eval_id), pairs, check),
        slices=[_slice(slice_) for slice_ in sorted(by_slice, key=lambda slice_: slice_.gain)],
        left_out=left_out,
        won_items=_items(pairs, [row for row in rows if ours[row].passed and not theirs[row].passed]),
        lost_items=_items(pairs, [row for row in rows if theirs[row].passed and not ours[row].passed]),
        group_by=group_by,
        alpha=ALPHA,
        confidence=CONFIDENCE,
        seed=seed,
        draws=DRAWS,
        methods=_methods(group_by),
    )


def _refuse_what_says_nothing(pairs: _PairedRows) -> None:
    if not pairs.graded:
        raise ApiError(
            "No row was graded in both runs: rows pair by completion_id, else by number where their items are equal.",
            code="no_common_rows",
            param="baseline",
        )
    group_by = pairs.group_by
    if group_by and not any(group_by in pairs.ours[row].tags for row in pairs.graded):
        raise ApiError(f"Invalid 'group_by': no row has '{group_by}'.", code="invalid_value", param="group_by")


def _passed(pairs: _PairedRows) -> list[tuple[bool, bool]]:
    return [(pairs.ours[row].passed, pairs.theirs[row].passed) for row in pairs.graded]


def _gain_figures(gain: Gain) -> dict[str, Any]:
    counts = gain.counts
    return {
        "won": counts.won,
        "lost": counts.lost,
        "gain": counts.gain,
        "interval": gain.interval,
        "p_value": gain.p_value,
    }


class _MeasuredCriterion(NamedTuple):
    """A criterion's results on the rows that it graded in both runs, and the gain before any adjustment."""

    criterion: GraderModel
    results: list[tuple[Result, Result]]
    gain: Gain
    scores: ScoreDifference | None


def _criteria(eval_: Eval, pairs: _PairedRows, check: Callable[[], None]) -> list[CriterionComparison]:
    """The comparison by each criterion. The findings follow from Holm's p over all criteria."""
    measured = []
    for criterion in eval_.testing_criteria:
        check()
        measured.append(_measured(criterion, pairs))
    adjusted = holm([measured_criterion.gain.p_value for measured_criterion in measured])
    return [
        _criterion(measured_criterion, p_value) for measured_criterion, p_value in zip(measured, adjusted, strict=True)
    ]


def _measured(criterion: GraderModel, pairs: _PairedRows) -> _MeasuredCriterion:
    name, ours, theirs = criterion.id, pairs.ours, pairs.theirs
    rows = [row for row in pairs.graded if name in ours[row].results and name in theirs[row].results]
    results = [(ours[row].results[name], theirs[row].results[name]) for row in rows]
    groups = pairs.groups(rows)
    passed = [(first.passed, second.passed) for first, second in results]
    gain = gain_of_pairs(passed, seed=pairs.seed, groups=groups)
    return _MeasuredCriterion(criterion, results, gain, _scores(results, seed=pairs.seed, groups=groups))


def _criterion(measured: _MeasuredCriterion, adjusted_p_value: float) -> CriterionComparison:
    criterion, results, gain, scores = measured
    return CriterionComparison(
        testing_criteria=criterion.id,
        name=criterion.name,
        run=pass_rate(sum(ours.passed for ours, _ in results), len(results)),
        baseline=pass_rate(sum(theirs.passed for _, theirs in results), len(results)),
        **_gain_figures(gain),
        scores=scores,
        adjusted_p_value=adjusted_p_value,
        finding=replace(gain, p_value=adjusted_p_value).finding,
    )


def _scores(results: list[tuple[Result, Result]], *, seed: int, groups: Groups) -> ScoreDifference | None:
    """Mean scores and their difference; None if every score is 0 or 1, or some row has none."""
    first = [ours.score for ours, _ in results if ours.score is not None]
    second = [theirs.score for _, theirs in results if theirs.score is not None]
    if len(first) < len(results) or len(second) < len(results) or {*first, *second} <= {0.0, 1.0}:
        return None
    ours, theirs = (sum(scores) / len(scores) for scores in (first, second))
    interval = score_interval(first, second, seed=seed, groups=groups)
    return ScoreDifference(run=ours, baseline=theirs, difference=ours - theirs, interval=interval)


def _slice(slice_: PairedSlice) -> SliceComparison:
    return SliceComparison(
        key=slice_.key,
        value=slice_.value,
        rows=slice_.rows,
        **_gain_figures(slice_.unadjusted),
        adjusted_p_value=slice_.adjusted_p_value,
        finding=slice_.finding,
    )


def _items(pairs: _PairedRows, rows: list[str]) -> list[ItemPair]:
    """The output items of the first of these rows."""
    return [
        ItemPair(run_item_id=pairs.ours[row].item_id, baseline_item_id=pairs.theirs[row].item_id)
        for row in rows[:_MOST_ITEMS]
    ]


def _methods(group_by: str | None) -> Methods:
    if group_by:
        return Methods(interval="cluster_bootstrap", p_value="durkalski", scores="cluster_bootstrap")
    return Methods(interval="tango", p_value="mcnemar_exact", scores="paired_bca_bootstrap")
