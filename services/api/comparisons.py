"""Two runs of one eval compared, row by row. Our own, `…/runs/{id}/comparison?baseline=…`."""

from __future__ import annotations

from evals.compare_runs import compare_runs
from evals.comparison import Comparison
from evals.run import Run
from evals.slicing import MOST_KEYS
from evals.stored_figures import completed_run, refuse_too_many_rows, stored_or_computed, time_check
from foundation import http
from foundation.errors import ApiError
from foundation.routes import Query, Routes

router = Routes("Comparisons")


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
