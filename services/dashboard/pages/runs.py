"""A run: its score, its progress, its rows with what each grader said and why."""

from __future__ import annotations

from typing import Any

from dashboard import graded
from dashboard.answers import Answer, Page, SeeOther
from dashboard.shown import step
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Runs")
_QUERY = (Query("after", "The id after which the page begins."), Query("status", "`pass`, `fail` or `error`."))
_ENDED = frozenset({"completed", "failed", "canceled"})


@pages.get("/evals/<eval_id>/runs/<run_id>", scope="read", query=_QUERY)
def run(visit: Visit) -> Answer:
    """A run and a page of its rows."""
    path = _path(visit)
    eval_, found, items, others = visit.api.all(
        [
            Asked(f"/evals/{step(visit.parameters['eval_id'])}"),
            Asked(path),
            Asked(f"{path}/output_items", {"limit": "20", **visit.query}),
            Asked(f"/evals/{step(visit.parameters['eval_id'])}/runs", {"order": "desc", "limit": "50"}),
        ]
    )
    if found is None or eval_ is None:
        raise ApiError("There is no such run.", code="not_found", status=404)
    criteria = eval_["testing_criteria"]
    content: dict[str, Any] = {
        "eval": eval_,
        "run": found,
        "page": items or {"has_more": False, "data": []},
        "rows": [graded.row(item) for item in (items or {"data": []})["data"]],
        "names": {
            criterion["id"]: criterion.get("name") or criterion["type"] for criterion in eval_["testing_criteria"]
        },
        "others": [other for other in others["data"] if other["id"] != found["id"] and other["status"] == "completed"],
        "judges": [part for part in criteria if part.get("model")] or criteria[:1],
        "query": dict(visit.query),
        "open": found["status"] not in _ENDED,
    }
    return Page("run.html", found["name"] or found["id"], content)


@pages.post("/evals/<eval_id>/runs/<run_id>/cancel", scope="write")
def cancel(visit: Visit) -> Answer:
    """Cancel a run."""
    visit.api.post(f"{_path(visit)}/cancel")
    return SeeOther(_path(visit))


def _path(visit: Visit) -> str:
    return f"/evals/{step(visit.parameters['eval_id'])}/runs/{step(visit.parameters['run_id'])}"
