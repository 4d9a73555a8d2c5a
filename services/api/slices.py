"""The slices of a run: where it does worse, or better, than on its other rows. Our own, `…/runs/{id}/slices`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from api import results
from api.figures import ALPHA, pass_rate
from foundation import http
from foundation.ids import now
from foundation.routes import Query, Routes

if TYPE_CHECKING:
    from evals.outcomes import Outcome
    from evals.run import Run
    from evals.slicing import Slice

router = Routes("Slices")


@router.get(
    "/v1/evals/<eval_id>/runs/<run_id>/slices",
    scope="read",
    answer=dict[str, Any],
    query=(
        Query("by", "Keys separated by commas; if absent, every metadata key and every scalar field of the items."),
    ),
    errors={409: "The run is not completed.", 413: "The run has too many rows for one request."},
)
def retrieve_slices(eval_id: str, run_id: str) -> dict[str, Any]:
    """Show the slices in which a run does worse, or better, than on its other rows."""
    run = results.completed_run(eval_id, run_id, param="run_id")
    results.refuse_too_many_rows(run)
    by = results.names(http.query_of(router, "by"), param="by")
    return results.once(run, "slices", by, lambda: _sliced(run, by))


def _sliced(run: Run, by: list[str]) -> dict[str, Any]:
    from evals.outcomes import outcomes
    from evals.slicing import every_tag, named_tags, slices
    from stats import fisher_exact, holm

    every = outcomes(run, named_tags(by) if by else every_tag, each_chunk=results.in_time(router))
    graded = {row: one for row, one in every.items() if not one.errored}
    passed = sum(one.passed for one in graded.values())
    found, left_out = slices({row: one.tags for row, one in graded.items()}, by)
    tables = [_table(one, graded, passed) for one in found]
    p_values = [fisher_exact(*table) for table in tables]
    described = [
        _described(one, table, p_value, adjusted)
        for one, table, p_value, adjusted in zip(found, tables, p_values, holm(p_values), strict=True)
    ]
    return {
        "object": "eval.run.slices",
        "eval_id": run.eval_id,
        "run_id": run.id,
        "created_at": now(),
        "by": by,
        **pass_rate(passed, len(graded)),
        "errored": len(every) - len(graded),
        "slices": sorted(described, key=lambda one: float(one["difference"])),
        "left_out": [asdict(one) for one in left_out],
        "alpha": ALPHA,
        "methods": {"interval": "wilson", "difference_interval": "newcombe", "p_value": "fisher", "adjusted": "holm"},
    }


def _table(one: Slice, graded: dict[str, Outcome], passed: int) -> tuple[int, int, int, int]:
    """Passed and graded rows of the slice, and of the rest."""
    within = sum(graded[row].passed for row in one.rows)
    return within, len(one.rows), passed - within, len(graded) - len(one.rows)


def _described(one: Slice, table: tuple[int, int, int, int], p_value: float, adjusted: float) -> dict[str, Any]:
    from stats import newcombe_interval

    within, rows, beside, others = table
    difference = within / rows - beside / others
    noise = adjusted >= ALPHA or not difference
    return {
        "key": one.key,
        "value": one.value,
        **pass_rate(within, rows),
        "rest": pass_rate(beside, others),
        "difference": difference,
        "difference_interval": list(newcombe_interval(*table)),
        "p_value": p_value,
        "adjusted_p_value": adjusted,
        "finding": "noise" if noise else "better" if difference > 0 else "worse",
    }
