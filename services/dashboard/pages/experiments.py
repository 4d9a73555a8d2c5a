"""Experiments: the attempts at one task beside each other, and what changed between two of them."""

from __future__ import annotations

from dashboard.answers import Answer, Page
from dashboard.shown import step
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Experiments")
_AFTER = Query("after", "The id after which the page begins.")
_TWO = (Query("attempt", "The attempt that is looked at."), Query("baseline", "The one that it is compared with."))


@pages.get("/experiments", scope="read", query=(_AFTER,))
def experiments(visit: Visit) -> Answer:
    """The tasks that models were distilled for."""
    return Page("experiments.html", "Experiments", {"page": visit.api.get("/experiments", {**visit.query})})


@pages.get("/experiments/<eval_id>", scope="read", query=(_AFTER, *_TWO))
def attempts(visit: Visit) -> Answer:
    """The attempts at a task, and what changed between two that are chosen."""
    eval_id = visit.parameters["eval_id"]
    path = f"/experiments/{step(eval_id)}"
    chosen = {name: visit.query[name] for name in ("attempt", "baseline") if name in visit.query}
    asked = [
        Asked(path, {"limit": "50", **{name: value for name, value in visit.query.items() if name == "after"}}),
        Asked(f"/evals/{step(eval_id)}"),
    ]
    if len(chosen) == len(_TWO):
        asked.append(Asked(f"{path}/difference", chosen))
    page, eval_, *difference = visit.api.all(asked)
    if page is None:
        raise ApiError("There is no such task.", code="not_found", status=404)
    rows = list(dict.fromkeys(attempt["test_rows_id"] for attempt in page["data"]))
    content = {
        "page": page,
        "path": path,
        "eval_id": eval_id,
        "eval": eval_,
        "rows": {rows_id: number for number, rows_id in enumerate(rows, 1)},
        "chosen": chosen,
        "difference": difference[0] if difference else None,
        "names": {attempt["id"]: attempt["name"] or attempt["id"] for attempt in page["data"]},
    }
    return Page("experiment.html", f"Attempts at {eval_['name'] or eval_id}" if eval_ else "Attempts", content)
