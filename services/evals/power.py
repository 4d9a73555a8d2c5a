"""How many rows are needed to show a difference between two runs, to be asked before a run is paid for.

In: a difference, a baseline run or a discordance, and a number of rows; some may be missing. Out: a `PowerAnswer`. A
question that cannot be answered is refused with ApiError naming the parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from evals.figures import ALPHA, POWER
from evals.run import Run
from foundation.document import Document
from foundation.errors import ApiError, Conflict
from stats import power_at, rows_needed, smallest_gain

_ROUNDING = 1e-12


class PowerAnswer(Document):
    """The rows that a difference of two pass rates takes, and what given rows can show."""

    object: Literal["eval.power"] = "eval.power"
    eval_id: str
    baseline_run_id: str | None
    baseline_pass_rate: float | None
    """From 0 to 1; null without a baseline."""
    difference: float | None
    """The difference of the two pass rates that was asked for, from 0 to 1."""
    alpha: float
    """The two-sided level of the test."""
    power: float
    """The chance of showing the difference, from 0 to 1."""
    discordance: float | None
    """The share of rows on which the two runs differ, at this difference or at the smallest."""
    discordance_is: Literal["given", "assumed"]
    """`assumed` where it is that of two runs whose answers are independent, which asks for most rows."""
    rows_needed: int | None
    """Null without a difference."""
    rows: int | None
    """The rows asked about, else those of the baseline."""
    power_at_rows: float | None
    """The chance that these rows show the difference, from 0 to 1; null without either."""
    smallest_difference: float | None
    """The smallest difference that these rows show with this power; null where they show none, and without rows."""


class PowerQuestion(NamedTuple):
    """The question about power. Each share lies between 0 and 1."""

    difference: float | None = None
    discordance: float | None = None
    rows: int | None = None
    alpha: float = ALPHA
    power: float = POWER


class _Discordance(NamedTuple):
    """The share of rows on which two runs differ, by their difference, and the largest difference there can be."""

    at: Callable[[float], float]
    most: float


def power_answer(eval_id: str, question: PowerQuestion, baseline: Run | None = None) -> PowerAnswer:
    """The answer for one eval. A question without rows is about as many as the baseline graded."""
    difference, alpha, power = question.difference, question.alpha, question.power
    rate = _pass_rate(baseline)
    discordance_at, most = _discordance(rate, question.discordance)
    rows = question.rows or (graded_rows(baseline) if baseline else None)
    if difference is None and rows is None:
        raise _missing("difference")
    if difference is not None and difference > most + _ROUNDING:
        reason = f"the baseline passes {rate:.1%}" if rate is not None else f"the runs differ on {most:.1%} of the rows"
        raise ApiError(f"Invalid 'difference': {reason}.", code="invalid_value", param="difference")
    smallest = smallest_gain(rows, discordance_at, alpha=alpha, power=power, most=most) if rows and most else None
    at = difference if difference is not None else smallest
    discordance = discordance_at(at) if at is not None else None
    needed = power_at_rows = None
    if difference is not None and discordance is not None:
        needed = rows_needed(difference, discordance, alpha=alpha, power=power)
        power_at_rows = power_at(rows, difference, discordance, alpha) if rows else None
    return PowerAnswer(
        eval_id=eval_id,
        baseline_run_id=baseline.id if baseline else None,
        baseline_pass_rate=rate,
        difference=difference,
        alpha=alpha,
        power=power,
        discordance=discordance,
        discordance_is="given" if question.discordance is not None else "assumed",
        rows_needed=needed,
        rows=rows,
        power_at_rows=power_at_rows,
        smallest_difference=smallest,
    )


def refuse_without_pass_rate(run: Run) -> None:
    """Raise Conflict unless the run is completed and has graded a row."""
    if run.status != "completed" or not graded_rows(run):
        raise Conflict(
            f"The run {run.id} is {run.status} with {graded_rows(run)} graded rows: it says no pass rate.",
            code="run_not_completed",
            param="baseline",
        )


def graded_rows(run: Run) -> int:
    return run.result_counts.passed + run.result_counts.failed


def _pass_rate(baseline: Run | None) -> float | None:
    return baseline.result_counts.passed / graded_rows(baseline) if baseline else None


def _discordance(rate: float | None, given: float | None) -> _Discordance:
    """The share of rows on which two runs differ: the given one, else that of runs with independent answers."""
    most = 1.0 if rate is None else 1.0 - rate
    if given is not None:
        return _Discordance(lambda _: given, min(most, given))
    if rate is None:
        raise _missing("baseline' or 'discordance")
    return _Discordance(lambda gain: rate * (1.0 - rate - gain) + (rate + gain) * (1.0 - rate), most)


def _missing(name: str) -> ApiError:
    return ApiError(f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name)
