"""Runs of one eval compared: the figures of two, the rows of several. Our own, `…/runs/{id}/comparison`."""

from __future__ import annotations

import math
from typing import get_args

from evals.compare_runs import compare_runs
from evals.compared_rows import Beside, ComparedOutcome, ComparedRows, RowFilter
from evals.comparison import Comparison
from evals.run import Run
from evals.slicing import MOST_KEYS
from evals.stored_figures import completed_run, refuse_too_many_rows, stored_or_computed, time_check
from foundation import http
from foundation.errors import ApiError
from foundation.routes import AFTER, LIMIT, Query, Routes

router = Routes("Comparisons")
_MOST_RUNS = 6
_OUTCOMES: tuple[ComparedOutcome, ...] = get_args(ComparedOutcome.__value__)
_NUMBER = {"type": "number"}
_SLICE = {"type": "object", "additionalProperties": {"type": "string"}}


@router.get(
    "/v1/evals/<eval_id>/runs/<run_id>/comparison",
    scope="read",
    query=(
        Query("baseline", "The other run, of the same eval.", required=True),
        Query("group_by", "A key that rows share which depend on each other, such as a conversation's."),
        Query("slices", "Keys separated by commas; if absent, every metadata key and every scalar field of the items."),
    ),
    errors={409: "A run is not completed.", 413: "The runs have too many rows for one request."},
)
def retrieve_comparison(eval_id: str, run_id: str) -> Comparison:
    """Compare two completed runs of one eval, row by row: better, worse or noise, with intervals."""
    run = completed_run(eval_id, run_id, param="run_id")
    baseline = _baseline(run)
    refuse_too_many_rows(run, baseline)
    group_by = http.query_of(router, "group_by") or None
    keys = http.names_of(router, "slices", most=MOST_KEYS)
    check = time_check(router.lambda_context)
    return stored_or_computed(
        Comparison,
        run,
        "comparisons",
        [baseline.id, group_by, keys],
        lambda: compare_runs(run, baseline, group_by=group_by, slice_keys=keys, check=check),
    )


@router.get(
    "/v1/evals/<eval_id>/compared_rows",
    scope="read",
    query=(
        Query("runs", f"Completed runs of the eval, separated by commas, the base first: at most {_MOST_RUNS}."),
        Query("outcome", "Only rows of this outcome.", {"type": "string", "enum": list(_OUTCOMES)}),
        Query("criterion", "The id of the criterion that decides the outcome; if absent, the row as a whole."),
        Query("min_score", "The least score of the criterion, of any of the runs.", _NUMBER),
        Query("max_score", "The highest score of the criterion, of any of the runs.", _NUMBER),
        Query("slice", "What a row has: `slice[feature]=triage` of its metadata, `slice[item.queue]=billing`.", _SLICE),
        AFTER,
        LIMIT,
    ),
    errors={
        404: "The eval or a run does not exist.",
        409: "A run is not completed.",
        413: "The runs have too many rows for one request.",
    },
)
def list_compared_rows(eval_id: str) -> ComparedRows:
    """List the rows of several runs beside each other, and count those that were won, lost, or wrong everywhere."""
    limit, asked = http.limit_of(router), _row_filter()
    run_ids = http.names_of(router, "runs", most=_MOST_RUNS)
    if not run_ids:
        raise ApiError("Missing required parameter: 'runs'.", code="missing_required_parameter", param="runs")
    runs = [completed_run(eval_id, run_id, param="runs") for run_id in run_ids]
    refuse_too_many_rows(*runs)
    beside = Beside(runs, asked, check=time_check(router.lambda_context))
    data, has_more = http.cut(beside.behind(http.query_of(router, "after")), limit)
    return ComparedRows(
        eval_id=eval_id,
        run_ids=run_ids,
        counts=beside.counts,
        data=data,
        first_id=data[0].id if data else None,
        last_id=data[-1].id if data else None,
        has_more=has_more,
    )


def _row_filter() -> RowFilter:
    wanted = http.query_of(router, "outcome")
    outcome = next((known for known in _OUTCOMES if known == wanted), None)
    if wanted and outcome is None:
        message = f"Invalid 'outcome': use one of {', '.join(_OUTCOMES)}."
        raise ApiError(message, code="invalid_value", param="outcome")
    asked = RowFilter(
        outcome,
        http.query_of(router, "criterion") or None,
        _score("min_score"),
        _score("max_score"),
        {
            name.removeprefix("slice[").removesuffix("]"): value
            for name, value in (router.current_event.query_string_parameters or {}).items()
            if name.startswith("slice[")
        },
    )
    if asked.criterion is None and (asked.min_score is not None or asked.max_score is not None):
        raise ApiError("Name the criterion whose scores are meant.", code="invalid_value", param="criterion")
    return asked


def _score(name: str) -> float | None:
    text = http.query_of(router, name)
    if text is None:
        return None
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise ApiError(f"Invalid '{name}': a number is expected.", code="invalid_value", param=name)
    return score


def _baseline(run: Run) -> Run:
    baseline_id = http.query_of(router, "baseline")
    if not baseline_id:
        raise ApiError("Missing required parameter: 'baseline'.", code="missing_required_parameter", param="baseline")
    baseline = Run.load(baseline_id, param="baseline")
    if baseline.eval_id != run.eval_id:
        raise ApiError(
            f"The run {baseline.id} belongs to the eval {baseline.eval_id}; only runs of one eval are compared.",
            code="different_evals",
            param="baseline",
        )
    if baseline.id == run.id:
        raise ApiError("A run is not compared with itself.", code="invalid_value", param="baseline")
    return completed_run(run.eval_id, baseline.id, param="baseline")
