"""How many rows a difference takes, before a run is paid for. Our own, `/v1/evals/{id}/power`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api.figures import ALPHA, POWER
from api.runs import run_of
from evals.eval import Eval
from evals.run import Run
from foundation import http
from foundation.errors import ApiError, Conflict
from foundation.routes import Query, Routes

router = Routes("Power")
_MOST_ROWS = 10_000_000
# Beyond, arithmetic ends before the rows do.
_LEAST_SHARE = 1e-6
_SHARE = {"type": "number", "minimum": _LEAST_SHARE, "maximum": 1 - _LEAST_SHARE}
_ROWS = {"type": "integer", "minimum": 1, "maximum": _MOST_ROWS}


@router.get(
    "/v1/evals/<eval_id>/power",
    scope="read",
    answer=dict[str, Any],
    query=(
        Query("baseline", "A completed run of the eval, whose pass rate counts."),
        Query("difference", "The difference of two pass rates that is to be shown.", _SHARE),
        Query("discordance", "The share of rows on which the two runs differ, where it is known.", _SHARE),
        Query("rows", "How many rows there would be; if absent, those of the baseline.", _ROWS),
        Query("alpha", "The two-sided level of the test: 0.05 if absent.", _SHARE),
        Query("power", "The chance of showing the difference: 0.8 if absent.", _SHARE),
    ),
    errors={409: "The baseline is not completed, or has no graded row."},
)
def retrieve_power(eval_id: str) -> dict[str, Any]:
    """Say how many rows a difference between two runs takes, before a run is paid for.

    Give a `difference` or `rows`, and a `baseline` or a `discordance`.
    """
    from stats import power_at, rows_needed, smallest_gain

    Eval.load(eval_id, param="eval_id")
    baseline = _baseline(eval_id)
    difference = _share("difference", None)
    alpha, power = _share("alpha", ALPHA) or ALPHA, _share("power", POWER) or POWER
    asked = _share("discordance", None)
    rate = _rate(baseline)
    discordance_at, most = _assumed(rate, asked)
    rows = _rows() or (_graded(baseline) if baseline else None)
    if difference is None and rows is None:
        raise _missing("difference")
    if difference is not None and difference > most + 1e-12:
        reason = f"the baseline passes {rate:.1%}" if rate is not None else f"the runs differ on {most:.1%} of the rows"
        raise ApiError(f"Invalid 'difference': {reason}.", code="invalid_value", param="difference")
    smallest = smallest_gain(rows, discordance_at, alpha=alpha, power=power, most=most) if rows and most else None
    at = difference if difference is not None else smallest
    discordance = discordance_at(at) if at is not None else None
    needed = shown = None
    if difference is not None and discordance is not None:
        needed = rows_needed(difference, discordance, alpha=alpha, power=power)
        shown = power_at(rows, difference, discordance, alpha) if rows else None
    return {
        "object": "eval.power",
        "eval_id": eval_id,
        "baseline_run_id": baseline.id if baseline else None,
        "baseline_pass_rate": rate,
        "difference": difference,
        "alpha": alpha,
        "power": power,
        "discordance": discordance,
        "discordance_is": "given" if asked is not None else "assumed",
        "rows_needed": needed,
        "rows": rows,
        "power_at_rows": shown,
        "smallest_difference": smallest,
    }


def _baseline(eval_id: str) -> Run | None:
    run_id = http.query_of(router, "baseline")
    if not run_id:
        return None
    run = run_of(eval_id, run_id)
    if run.status != "completed" or not _graded(run):
        raise Conflict(
            f"The run {run.id} is {run.status} with {_graded(run)} graded rows: it says no pass rate.",
            code="run_not_completed",
            param="baseline",
        )
    return run


def _graded(run: Run) -> int:
    return run.result_counts.passed + run.result_counts.failed


def _rate(baseline: Run | None) -> float | None:
    return baseline.result_counts.passed / _graded(baseline) if baseline else None


def _assumed(rate: float | None, asked: float | None) -> tuple[Callable[[float], float], float]:
    """The share of rows on which two runs differ, by their difference, and the largest difference there can be.

    Without a measured share (a comparison's `discordance`) answers count as independent, which asks for most rows.
    """
    most = 1.0 if rate is None else 1.0 - rate
    if asked is not None:
        return lambda _: asked, min(most, asked)
    if rate is None:
        raise _missing("baseline' or 'discordance")
    return lambda gain: rate * (1.0 - rate - gain) + (rate + gain) * (1.0 - rate), most


def _share(name: str, default: float | None) -> float | None:
    text = http.query_of(router, name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    # A level or a difference of all or nothing has no number of rows.
    if not _LEAST_SHARE <= value <= 1.0 - _LEAST_SHARE:
        message = f"Invalid '{name}': a number between 0 and 1 is expected, at least {_LEAST_SHARE} from both."
        raise ApiError(message, code="invalid_value", param=name)
    return value


def _rows() -> int | None:
    text = http.query_of(router, "rows")
    if text is None:
        return None
    digits = len(str(_MOST_ROWS))
    if not text.isdecimal() or len(text) > digits or not 0 < int(text) <= _MOST_ROWS:
        raise ApiError(f"Invalid 'rows': 1 to {_MOST_ROWS} are expected.", code="invalid_value", param="rows")
    return int(text)


def _missing(name: str) -> ApiError:
    return ApiError(f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name)
