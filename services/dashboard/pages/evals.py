"""Evals: their list, one with its criteria and runs, and the form that starts a run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.answers import Answer, Page, SeeOther
from dashboard.filters import rows_source
from dashboard.grader_cards import KINDS
from dashboard.shown import step
from dashboard.stillhouse_api import MODELS, Asked, names_of
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Evals")
_AFTER = (Query("after", "The id after which the page begins."),)
_MOST_MODELS = 5
_FIVE_POINTS = "0.05"


@pages.get("/evals", scope="read", query=_AFTER)
def evals(visit: Visit) -> Answer:
    """The evals, the newest first."""
    page = visit.api.get("/evals", {"order": "desc", **visit.query})
    return Page("evals.html", "Evals", {"page": page})


@pages.get("/evals/<eval_id>", scope="read", query=_AFTER)
def one_eval(visit: Visit) -> Answer:
    """An eval: its graders and how far judges can be trusted, its runs, and what a further run could show."""
    path = f"/evals/{step(visit.parameters['eval_id'])}"
    found, runs, cards, models = visit.api.all(
        [
            Asked(path),
            Asked(f"{path}/runs", {"order": "desc", **visit.query}),
            Asked(f"{path}/calibrations", {"order": "desc", "limit": "50"}),
            MODELS,
        ]
    )
    if found is None or runs is None:
        raise ApiError("There is no such eval.", code="not_found", status=404)
    content = {
        "eval": found,
        "runs": runs,
        "judge_cards": _newest_by_criterion(cards),
        "power": _power(visit, path, runs["data"]),
        "models": names_of(models),
        "kinds": {kind.type: kind for kind in reversed(list(KINDS.values()))},
    }
    return Page("eval.html", found["name"] or found["id"], content)


@pages.post("/evals/<eval_id>/runs", scope="write")
def start_runs(visit: Visit) -> Answer:
    """Start a run on the completions of a filter: of their stored answers, or one for each model that answers anew."""
    path, form = f"/evals/{step(visit.parameters['eval_id'])}", visit.form()
    models = _models(form)
    started: list[str] = []
    try:
        for model in models:
            # Each of them is started once: what is posted twice with one mark is taken for the same. A header holds
            # fewer letters than a name may have.
            mark = hashlib.sha256(f"{visit.api.once}-{model}".encode()).hexdigest()
            api = visit.api._replace(once=mark)
            started.append(step(api.post(f"{path}/runs", _run(form, model))["id"]))
    except ApiError:
        # The form is corrected and pressed again: all of them are started then, and none twice.
        for run_id in started:
            visit.api.delete(f"{path}/runs/{run_id}")
        raise
    return SeeOther(f"{path}/runs/{started[0]}" if len(started) == 1 else path)


def _models(form: Mapping[str, str]) -> list[str]:
    """The models that answer anew, each once; an empty name alone stands for the answers as they are stored."""
    names = [name.strip() for name in form.get("sampled_model", "").split(",") if name.strip()]
    if len(names) > _MOST_MODELS:
        raise ApiError(f"Name at most {_MOST_MODELS} models.", code="invalid_value", param="data_source.model")
    return list(dict.fromkeys(names)) or [""]


def _run(form: Mapping[str, str], model: str) -> dict[str, Any]:
    name = form.get("name", "")
    named = f"{name} {model}".strip() if "," in form.get("sampled_model", "") else name
    return {"name": named, "data_source": rows_source({**form, "sampled_model": model})}


def _newest_by_criterion(cards: Any) -> dict[str, Any]:
    """The newest judge card of each grader that has one."""
    newest: dict[str, Any] = {}
    for card in cards["data"] if cards else []:
        newest.setdefault(card["criterion_id"], card)
    return newest


def _power(visit: Visit, path: str, runs: Sequence[Any]) -> Any:
    """What as many rows as the newest completed run has can show; None where no run says so."""
    rated = [run for run in runs if run.get("statistics") and run["statistics"]["pass_rate"] is not None]
    baseline = next((run for run in rated if run["status"] == "completed"), None)
    if baseline is None:
        return None
    rate = baseline["statistics"]["pass_rate"]
    difference = {"difference": _FIVE_POINTS} if rate < 1 - float(_FIVE_POINTS) else {}
    asked = Asked(f"{path}/power", {"baseline": baseline["id"], **difference}, spare=True)
    return visit.api.all([asked])[0]
