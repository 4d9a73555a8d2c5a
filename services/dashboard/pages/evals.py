"""Evals: their list, one with its criteria and runs, and the form that makes one and starts its first run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from dashboard.answers import Answer, Page, SeeOther
from dashboard.criteria import JUDGES, criterion_of
from dashboard.filters import FIELDS, kept, query_of, source_of
from dashboard.shown import step
from dashboard.stillhouse_api import MODELS, Asked, names_of
from dashboard.turns import row
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Evals")
_AFTER = (Query("after", "The id after which the page begins."),)
_FILTER = tuple(Query(name, "A field of the filter.") for name in FIELDS)
_CONFIG = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}


@pages.get("/evals", scope="read", query=_AFTER)
def evals(visit: Visit) -> Answer:
    """The evals, the newest first."""
    page = visit.api.get("/evals", {"order": "desc", **visit.query})
    return Page("evals.html", "Evals", {"page": page})


@pages.get("/evals/new", scope="write", query=_FILTER)
def new_eval(visit: Visit) -> Answer:
    """The form for an eval of the completions of a filter, with five of them to look at."""
    return _form(visit, visit.query)


@pages.post("/evals/new", scope="write")
def make_eval(visit: Visit) -> Answer:
    """Make the eval, and grade the completions as they were answered."""
    form = visit.form()
    criteria = _written(form["criteria"]) if form.get("criteria", "").strip() else [criterion_of(form)]
    first_run = {"name": form.get("name", ""), "data_source": _rows(form)}
    body = {"name": form.get("name", ""), "data_source_config": _CONFIG, "testing_criteria": criteria}
    path = f"/evals/{step(visit.api.post('/evals', body)['id'])}"
    try:
        run = visit.api.post(f"{path}/runs", first_run)
    except ApiError:
        # The form is corrected and pressed again: one eval is made of it, not two.
        visit.api.delete(path)
        raise
    return SeeOther(f"{path}/runs/{step(run['id'])}")


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
    run = visit.api.post(f"/evals/{eval_id}/runs", {"name": form.get("name", ""), "data_source": _rows(form)})
    return SeeOther(f"/evals/{eval_id}/runs/{step(run['id'])}")


def _form(visit: Visit, fields: Mapping[str, str]) -> Page:
    newest = {**query_of(fields), "limit": "5", "order": "desc", "include": "messages"}
    preview, models = visit.api.all([Asked("/chat/completions", newest), MODELS])
    content = {
        "rows": [row(completion) for completion in preview["data"]],
        "fields": kept(visit),
        "judges": JUDGES,
        "models": names_of(models),
    }
    return Page("new_eval.html", "New eval", content)


def _rows(form: Mapping[str, str]) -> dict[str, Any]:
    """The rows of a run: the completions of the form's filter, answered by a model anew where one is named."""
    source = source_of(form)
    if form.get("sampled_model"):
        return {"type": "completions", "source": source, "model": form["sampled_model"]}
    return {"type": "completions", "source": source}


def _written(text: str) -> list[Any]:
    try:
        criteria = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ApiError(f"The criteria are no JSON: {error}.", code="invalid_json", param="testing_criteria") from error
    return criteria if isinstance(criteria, list) else [criteria]
