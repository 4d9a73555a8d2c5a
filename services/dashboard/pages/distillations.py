"""Distillations: their list, one from its gate to its verdict, the form that starts one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.answers import Answer, Page, SeeOther
from dashboard.filters import FIELDS, kept, query_of, source_of, tags_of
from dashboard.shown import step
from dashboard.stillhouse_api import MODELS, Asked, names_of
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Distillations")
_AFTER = Query("after", "The id after which the page begins.")
_FILTER = tuple(Query(name, "A field of the filter.") for name in FIELDS)
_ENDED = frozenset({"completed", "failed", "cancelled"})
STATES = ("queued", "measuring", "assembling", "training", "choosing", "evaluating", "deciding", "completed")
"""The way of a distillation that nothing stops. Only one of several attempts is chosen."""
_MOST_LEAKS = 20
_SOON, _SLOWLY = 3, 30
"""After how many seconds a page looks again. A training takes minutes to hours, and each look costs calls."""


@pages.get("/distillations", scope="read", query=(_AFTER,))
def distillations(visit: Visit) -> Answer:
    """The distillations, the newest first."""
    page = visit.api.get("/distillations", {"order": "desc", **visit.query})
    return Page("distillations.html", "Distillations", {"page": page})


@pages.get("/distillations/new", scope="write", query=(*_FILTER, Query("repeat", "The distillation to begin from.")))
def new_distillation(visit: Visit) -> Answer:
    """The form, filled in from the filter so that it can be pressed as it is."""
    evals, models, sample = visit.api.all(
        [
            Asked("/evals", {"order": "desc", "limit": "50"}),
            MODELS,
            Asked("/chat/completions", {**query_of(visit.query), "limit": "1", "order": "desc"}),
        ]
    )
    teacher = visit.query.get("model") or (sample["data"][0]["model"] if sample["data"] else "")
    content = {
        "evals": evals["data"],
        "models": names_of(models),
        "teacher": teacher,
        "fields": kept(visit),
        "tags": visit.query.get("tags", ""),
    }
    return Page("new_distillation.html", "New distillation", content)


@pages.post("/distillations/new", scope="write")
def start(visit: Visit) -> Answer:
    """Start it."""
    made = visit.api.post("/distillations", _body(visit.form()))
    return SeeOther(f"/distillations/{step(made['id'])}")


@pages.get("/distillations/<distillation_id>", scope="read")
def distillation(visit: Visit) -> Answer:
    """A distillation: how far it is, what its gate says, its attempts, its job, its verdict."""
    found = visit.api.get(f"/distillations/{step(visit.parameters['distillation_id'])}")
    waits = found["status"] == "blocked" and found["approved_at"] is None
    ended = found["status"] in _ENDED
    content = {
        "distillation": found,
        "events": _events(visit, found["job_id"]),
        "leaks": _leaks(visit, found["dataset_id"]) if waits else [],
        "states": [state for state in STATES if state != "choosing" or _chooses(found)],
        "students": found["students"] or [found["student"]],
        "open": not ended,
        "waits": waits,
        "seconds": None if ended or waits else _SLOWLY if found["status"] == "training" else _SOON,
    }
    return Page("distillation.html", found["name"], content)


@pages.post("/distillations/<distillation_id>/<verb>", scope="write")
def go_on(visit: Visit) -> Answer:
    """Approve a blocked one, cancel an open one, or repeat one."""
    distillation_id, verb = visit.parameters["distillation_id"], visit.parameters["verb"]
    if verb not in {"approve", "cancel", "repeat"}:
        raise ApiError("There is no such button.", code="not_found", status=404)
    form = visit.form()
    body: dict[str, Any] = {"trainer": form["trainer"]} if form.get("trainer") else {}
    students = _names(form.get("student", ""))
    if students:
        body["student"] = students if len(students) > 1 else students[0]
    answered = visit.api.post(f"/distillations/{step(distillation_id)}/{verb}", body if verb == "repeat" else None)
    return SeeOther(f"/distillations/{step(answered['id'])}")


def _chooses(found: Mapping[str, Any]) -> bool:
    """Whether one of several models is chosen before the eval."""
    return bool(found["students"]) or isinstance(found["hyperparameters"], list) or found["checkpoints"] == "best"


def _leaks(visit: Visit, dataset_id: str | None) -> list[Any]:
    """The first completions for whose sake a distillation waits: they ask what its test rows ask."""
    dataset = visit.api.all([Asked(f"/datasets/{step(dataset_id)}")])[0] if dataset_id else None
    leaks: list[Any] = dataset["card"]["leaks"] if dataset and dataset["card"] else []
    return leaks[:_MOST_LEAKS]


def _events(visit: Visit, job_id: str | None) -> list[Any]:
    if job_id is None:
        return []
    found = visit.api.all([Asked(f"/fine_tuning/jobs/{step(job_id)}/events", {"limit": "50"})])[0]
    return found["data"] if found else []


def _body(form: Mapping[str, str]) -> dict[str, Any]:
    """The distillation that a form describes."""
    filtered = source_of(form)
    body: dict[str, Any] = {
        "name": form.get("name", ""),
        "eval_id": form.get("eval_id", ""),
        "teacher": form.get("teacher", ""),
        "student": form.get("student", ""),
        "test": _narrowed(filtered, form.get("test_tags", "")),
        "train": _narrowed(filtered, form.get("train_tags", "")),
    }
    if form.get("max_cost_usd"):
        body["gate"] = {"max_cost_usd": _dollars(form["max_cost_usd"])}
    if form.get("trainer"):
        body["trainer"] = form["trainer"]
    if form.get("contenders"):
        body["contenders"] = _names(form["contenders"])
    return body


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _narrowed(source: Mapping[str, Any], tags: str) -> dict[str, Any]:
    """The filter with these tags besides."""
    metadata = {**source.get("metadata", {}), **tags_of(tags)}
    return {**source, "metadata": metadata} if metadata else dict(source)


def _dollars(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ApiError(
            "'max_cost_usd' takes an amount in dollars.", code="invalid_value", param="max_cost_usd"
        ) from None
