"""Two runs of one eval beside each other: how sure the difference is, and the rows that make it."""

from __future__ import annotations

from typing import Any, NamedTuple

from dashboard import graded
from dashboard.answers import Answer, Page
from dashboard.graded import GradedRow
from dashboard.shown import step
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Comparisons")
_QUERY = (
    Query("run", "The run that is looked at."),
    Query("baseline", "The run that it is compared with."),
    Query("rows", "`won` or `lost`."),
    Query("from", "How many rows come before this page."),
)
_A_PAGE = 8
_LONGEST_NUMBER = 6


class Pair(NamedTuple):
    """A row as both runs have it."""

    run: GradedRow
    baseline: GradedRow


@pages.get("/evals/<eval_id>/compare", scope="read", query=_QUERY)
def compare(visit: Visit) -> Answer:
    """The comparison, with a page of the rows that one run passed and the other did not."""
    eval_path = f"/evals/{step(visit.parameters['eval_id'])}"
    runs = [f"{eval_path}/runs/{step(visit.query.get(name, ''))}" for name in ("run", "baseline")]
    if not visit.query.get("run") or not visit.query.get("baseline"):
        raise ApiError("Choose two runs to compare.", code="missing_required_parameter", param="baseline")
    comparison = visit.api.get(f"{runs[0]}/comparison", {"baseline": visit.query["baseline"]})
    eval_, run, baseline = visit.api.all([Asked(eval_path), Asked(runs[0]), Asked(runs[1])])
    side = "lost" if visit.query.get("rows") == "lost" else "won"
    start = _start(visit)
    items = comparison[f"{side}_items"]
    content: dict[str, Any] = {
        "eval": eval_,
        "comparison": comparison,
        "run": run,
        "baseline": baseline,
        "side": side,
        "pairs": _pairs(visit, runs, items[start : start + _A_PAGE]),
        "start": start,
        "next": start + _A_PAGE if start + _A_PAGE < len(items) else None,
        "listed": len(items),
        "names": {
            criterion["id"]: criterion.get("name") or criterion["type"] for criterion in eval_["testing_criteria"]
        },
    }
    return Page("comparison.html", f"{run['name']} against {baseline['name']}", content)


def _pairs(visit: Visit, runs: list[str], items: list[dict[str, str]]) -> list[Pair]:
    asked = [
        Asked(f"{path}/output_items/{step(item[name])}")
        for item in items
        for path, name in zip(runs, ("run_item_id", "baseline_item_id"), strict=True)
    ]
    found = visit.api.all(asked)
    return [
        Pair(graded.row(mine), graded.row(theirs))
        for mine, theirs in zip(found[::2], found[1::2], strict=True)
        if mine is not None and theirs is not None
    ]


def _start(visit: Visit) -> int:
    text = visit.query.get("from", "0")
    if not text.isdecimal() or len(text) > _LONGEST_NUMBER:
        raise ApiError("'from' takes a whole number.", code="invalid_value", param="from")
    return int(text)
