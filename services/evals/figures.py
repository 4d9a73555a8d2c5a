"""What a run shows beside OpenAI's fields: progress while it is open, statistics when it has ended, and its power.

In: a run with its counts up to date. Out: `RunFigures`. Nothing is read from the table: the run has all sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from foundation.document import Document
from foundation.ids import now
from stats import Interval, mean_interval, smallest_gain, wilson

if TYPE_CHECKING:
    from evals.counts import CriterionResult
    from evals.run import Run

ALPHA = 0.05
POWER = 0.8
CONFIDENCE = 0.95

type Finding = Literal["better", "worse", "noise"]
"""`noise` is a difference that chance explains."""


class PassRate(Document):
    """How many of the graded rows passed."""

    passed: int
    rows: int
    """Graded rows; rows that errored are none of them."""
    pass_rate: float | None
    """`passed / rows`, from 0 to 1; null without rows."""
    interval: Interval
    """Wilson's 95% interval of the pass rate; 0 to 1 without rows."""


class MeanScore(Document):
    """The mean of a criterion's scores, in the unit of its scores."""

    mean: float
    interval: Interval | None
    """The 95% interval of the mean; null where the scores are too few."""


class CriterionStatistics(PassRate):
    """How one criterion went over a run."""

    testing_criteria: str
    """The criterion's id."""
    errored: int
    """Rows that this criterion could not grade."""
    score: MeanScore | None
    """Null where every score is 0 or 1: then the mean is the pass rate."""


class RunStatistics(PassRate):
    """What a run that has ended shows of the model under test."""

    errored: int
    """Rows that could not be sampled or graded."""
    criteria: list[CriterionStatistics]
    confidence: float
    """Of every interval, from 0 to 1."""


class Progress(Document):
    """How far a run is."""

    rows: int
    """Rows done."""
    total: int | None
    """All rows; null before they are planned."""
    eta: int | None
    """When the run will be done at its pace so far, in seconds UTC; null before its first chunk and while paused."""


class RunPower(Document):
    """The smallest difference to another run that a run's rows can show, whatever the pass rates are."""

    rows: int
    smallest_difference: float | None
    """Of two pass rates, from 0 to 1; null where so few rows show no difference at all."""
    power: float
    """The chance of showing that difference, from 0 to 1."""
    alpha: float
    """The two-sided level of the test, from 0 to 1."""


class RunFigures(Document):
    """What a run shows beside OpenAI's fields; a field is null where it does not apply."""

    statistics: RunStatistics | None
    """Null until the run has ended."""
    progress: Progress | None
    """Null once the run has ended."""
    power: RunPower | None
    """Null for a run that samples no model, and before its rows are planned."""


def run_figures(run: Run) -> RunFigures:
    return RunFigures(
        statistics=_statistics(run) if run.ended else None,
        progress=None if run.ended else _progress(run),
        power=_power(run.rows) if run.model and run.rows else None,
    )


def pass_rate(passed: int, graded: int) -> PassRate:
    rate = passed / graded if graded else None
    return PassRate(passed=passed, rows=graded, pass_rate=rate, interval=wilson(passed, graded))


def _statistics(run: Run) -> RunStatistics:
    counts = run.result_counts
    return RunStatistics(
        **dict(pass_rate(counts.passed, counts.passed + counts.failed)),
        errored=counts.errored,
        criteria=[_criterion(result) for result in run.per_testing_criteria_results],
        confidence=CONFIDENCE,
    )


def _criterion(result: CriterionResult) -> CriterionStatistics:
    scores = result.scores
    return CriterionStatistics(
        **dict(pass_rate(result.passed, result.passed + result.failed - result.errored)),
        testing_criteria=result.testing_criteria,
        errored=result.errored,
        score=MeanScore(mean=scores.mean, interval=mean_interval(scores)) if result.fractions else None,
    )


def _progress(run: Run) -> Progress:
    done, eta = run.result_counts.total, None
    if run.started_at and run.rows and done and not run.paused:
        at = now()
        eta = at + round((at - run.started_at) / done * max(0, run.rows - done))
    return Progress(rows=done, total=run.rows, eta=eta)


def _power(rows: int) -> RunPower:
    """The power of so many rows, in the worst case: two runs whose answers are independent, with pass rates near 1/2.

    At a difference of d such runs differ on a share of (1 + d^2) / 2 of the rows. Runs that agree more often can show
    a smaller difference with as many rows.
    """
    smallest = smallest_gain(rows, lambda gain: (1.0 + gain**2) / 2.0, alpha=ALPHA, power=POWER)
    return RunPower(rows=rows, smallest_difference=smallest, power=POWER, alpha=ALPHA)
