"""The document of two runs compared row by row, as API, dashboard and command line show it."""

from __future__ import annotations

from typing import Literal

from evals.figures import Finding, PassRate
from evals.slicing import LeftOut
from foundation.document import Document
from stats import Interval


class _GainFigures(Document):
    """The rows that only one of the two runs passed."""

    won: int
    """Rows that only the run passed."""
    lost: int
    """Rows that only the baseline passed."""
    gain: float
    """`(won - lost) / rows`, from -1 to 1: the difference of the two pass rates."""
    interval: Interval | None
    """The 95% interval of the gain; null where the groups are too few to carry one."""
    p_value: float
    """The chance of at least such a difference between equal models."""


class ScoreDifference(Document):
    """The mean scores of both runs, in the unit of the criterion's scores."""

    run: float
    baseline: float
    difference: float
    interval: Interval | None
    """The 95% interval of the difference; null where rows or groups are too few."""


class CriterionComparison(_GainFigures):
    """The comparison by one criterion, on the rows that it graded in both runs."""

    testing_criteria: str
    """The criterion's id."""
    name: str
    run: PassRate
    baseline: PassRate
    scores: ScoreDifference | None
    """Null where the scores are 0 and 1, or some row has none."""
    adjusted_p_value: float
    """Holm's p over all criteria."""
    finding: Finding
    """By the adjusted p and the interval."""


class SliceComparison(_GainFigures):
    """The comparison on the rows that have one value under a key."""

    key: str
    value: str
    rows: int
    adjusted_p_value: float
    """Holm's p over all slices."""
    finding: Finding
    """By the adjusted p."""


class ItemPair(Document):
    """The output items of one row in both runs."""

    run_item_id: str
    baseline_item_id: str


class Methods(Document):
    """Which statistic each figure is."""

    pass_rate: Literal["wilson"] = "wilson"  # noqa: S105 - the name of a rate
    interval: Literal["tango", "cluster_bootstrap"]
    p_value: Literal["mcnemar_exact", "durkalski"]
    scores: Literal["paired_bca_bootstrap", "cluster_bootstrap"]
    adjusted: Literal["holm"] = "holm"
    adjusted_for: Literal["criteria; slices"] = "criteria; slices"


class Comparison(_GainFigures):
    """Two runs of one eval on the rows that both graded."""

    object: Literal["eval.run.comparison"] = "eval.run.comparison"
    eval_id: str
    run_id: str
    baseline_run_id: str
    created_at: int
    """Seconds UTC."""
    finding: Finding
    """Whether the run is better or worse than the baseline, or chance explains the difference."""
    rows: int
    """Rows that both runs graded."""
    errored: int
    """Common rows that one of the runs could not grade."""
    only_in_run: int
    only_in_baseline: int
    run: PassRate
    baseline: PassRate
    discordance: float
    """The share of rows on which the runs differ, from 0 to 1."""
    rows_needed: int | None
    """Rows that show a gain of this size with 80% power; null where there is none, and for grouped rows."""
    criteria: list[CriterionComparison]
    slices: list[SliceComparison]
    """The largest loss first."""
    left_out: list[LeftOut]
    won_items: list[ItemPair]
    """The first 500 rows that only the run passed."""
    lost_items: list[ItemPair]
    """The first 500 rows that only the baseline passed."""
    group_by: str | None
    alpha: float
    """The level of every finding, two-sided."""
    confidence: float
    """Of every interval, from 0 to 1."""
    seed: int
    """Of every bootstrap."""
    draws: int
    """Of the bootstraps of the whole and of the criteria."""
    methods: Methods
