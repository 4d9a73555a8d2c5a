"""Evals: their list, one with its criteria and runs, and the form that starts a run."""

from __future__ import annotations

from dashboard.answers import Answer, Page, SeeOther
from dashboard.filters import rows_source
from dashboard.shown import step
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Evals")
_AFTER = (Query("after", "The id after which the page begins."),)


@pages.get("/evals", scope="read", query=_AFTER)
def evals(visit: Visit) -> Answer:
    """The evals, the newest first."""
    page = visit.api.get("/evals", {"order": "desc", **visit.query})
    return Page("evals.html", "Evals", {"page": page})


@pages.get("/evals/<eval_id>", scope="read", query=_AFTER)
def one_eval(visit: Visit) -> Answer:
    """An eval: its criteria, its runs, and two of them to compare."""
    path = f"/evals/{step(visit.parameters['eval_id'])}"
    found, runs = visit.api.all([Asked(path), Asked(f"{path}/runs", {"order": "desc", **visit.query})])
    if found is None or runs is None:
        raise ApiError("There is no such eval.", code="not_found", status=404)
    return Page("eval.html", found["name"] or found["id"], {"eval": found, "runs": runs})


@pages.post("/evals/<eval_id>/runs", scope="write")
def start_run(visit: Visit) -> Answer:
    """Start a run on the completions of a filter, of a model or of their stored answers."""
    eval_id, form = step(visit.parameters["eval_id"]), visit.form()
    run = visit.api.post(f"/evals/{eval_id}/runs", {"name": form.get("name", ""), "data_source": rows_source(form)})
    return SeeOther(f"/evals/{eval_id}/runs/{step(run['id'])}")
