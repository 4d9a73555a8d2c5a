"""The slices of a run: where it does worse, or better, than on its other rows. Our own, `…/runs/{id}/slices`."""

from __future__ import annotations

from evals.slice_table import SliceTable, slice_table
from evals.slicing import MOST_KEYS
from evals.stored_figures import completed_run, refuse_too_many_rows, stored_or_computed, time_check
from foundation import http
from foundation.routes import Query, Routes

router = Routes("Slices")


@router.get(
    "/v1/evals/<eval_id>/runs/<run_id>/slices",
    scope="read",
    query=(
        Query("by", "Keys separated by commas; if absent, every metadata key and every scalar field of the items."),
    ),
    errors={409: "The run is not completed.", 413: "The run has too many rows for one request."},
)
def retrieve_slices(eval_id: str, run_id: str) -> SliceTable:
    """Show the slices in which a run does worse, or better, than on its other rows."""
    run = completed_run(eval_id, run_id, param="run_id")
    refuse_too_many_rows(run)
    by = http.names_of(router, "by", most=MOST_KEYS)
    check = time_check(router.lambda_context)
    return stored_or_computed(SliceTable, run, "slices", by, lambda: slice_table(run, by, check=check))
