"""What a run shows beside OpenAI's fields: statistics when it has ended, progress before that, power where it is paid.

In: a run with its counts up to date. Out: three fields, null where they do not apply. Nothing is read: the sums lie in
the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from foundation.ids import now

if TYPE_CHECKING:
    from evals.counts import CriterionResult
    from evals.run import Run

ALPHA = 0.05
POWER = 0.8
CONFIDENCE = 0.95


def figures(run: Run) -> dict[str, Any]:
    return {
        "statistics": _statistics(run) if run.ended else None,
        "progress": None if run.ended else _progress(run),
        "power": _power(run.rows) if run.model and run.rows else None,
    }


def pass_rate(passed: int, graded: int) -> dict[str, Any]:
    """A share of passed rows with Wilson's interval; without rows there is no share."""
    from stats import wilson

    rate = passed / graded if graded else None
    return {"passed": passed, "rows": graded, "pass_rate": rate, "interval": list(wilson(passed, graded))}


def ends(interval: Sequence[float] | None) -> list[float] | None:
    return list(interval) if interval else None


def _statistics(run: Run) -> dict[str, Any]:
    counts = run.result_counts
    return {
        **pass_rate(counts.passed, counts.passed + counts.failed),
        "errored": counts.errored,
        "criteria": [_criterion(result) for result in run.per_testing_criteria_results],
        "confidence": CONFIDENCE,
    }


def _criterion(result: CriterionResult) -> dict[str, Any]:
    from stats import mean_interval

    scores = result.scores
    return {
        "testing_criteria": result.testing_criteria,
        **pass_rate(result.passed, result.passed + result.failed - result.errored),
        "errored": result.errored,
        "score": {"mean": scores.mean, "interval": ends(mean_interval(scores))} if result.fractions else None,
    }


def _progress(run: Run) -> dict[str, Any]:
    """`eta` goes by the run's own pace so far: null before its first chunk and while a provider is away."""
    done, eta = run.result_counts.total, None
    if run.started_at and run.rows and done and not run.paused:
        at = now()
        eta = at + round((at - run.started_at) / done * max(0, run.rows - done))
    return {"rows": done, "total": run.rows, "eta": eta}


def _power(rows: int) -> dict[str, Any]:
    """The smallest difference to another run that these rows can show, whatever the pass rates are.

    Two runs whose answers are independent differ on at most (1 + d^2) / 2 of their rows, at pass rates around one
    half; runs that agree oftener show less with as many rows.
    """
    from stats import smallest_gain

    smallest = smallest_gain(rows, lambda gain: (1.0 + gain**2) / 2.0, alpha=ALPHA, power=POWER)
    return {"rows": rows, "smallest_difference": smallest, "power": POWER, "alpha": ALPHA}
