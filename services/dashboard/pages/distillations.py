"""Distillations: their list, and one from its gate to its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.answers import Answer, Page, SeeOther
from dashboard.losses import loss_curves
from dashboard.plotted import plotted
from dashboard.shown import step
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Distillations")
_AFTER = Query("after", "The id after which the page begins.")
_ENDED = frozenset({"completed", "failed", "cancelled"})
STATES = ("queued", "measuring", "assembling", "training", "choosing", "evaluating", "deciding", "completed")
"""The way of a distillation that nothing stops. Only one of several attempts is chosen."""
_MOST_LEAKS = 20
_MOST_EVENTS, _MOST_WORDS = 500, 40
_SOON, _SLOWLY = 3, 30
"""After how many seconds a page looks again. A training takes minutes to hours, and each look costs calls."""


@pages.get("/distillations", scope="read", query=(_AFTER,))
def distillations(visit: Visit) -> Answer:
    """The distillations, the newest first."""
    page = visit.api.get("/distillations", {"order": "desc", **visit.query})
    return Page("distillations.html", "Distillations", {"page": page})


@pages.get("/distillations/<distillation_id>", scope="read")
def distillation(visit: Visit) -> Answer:
    """A distillation: how far it is, what its gate says, its attempts, its job, its verdict."""
    found = visit.api.get(f"/distillations/{step(visit.parameters['distillation_id'])}")
    waits = found["status"] == "blocked" and found["approved_at"] is None
    ended = found["status"] in _ENDED
    content = {
        "distillation": found,
        **_job_of(visit, found["job_id"]),
        "leaks": _leaks(visit, found["dataset_id"]) if waits else [],
        "states": [state for state in STATES if state != "choosing" or _chooses(found)],
        "students": found["students"] or [found["student"]],
        "open": not ended,
        "waits": waits,
        "seconds": None if ended or waits else _SLOWLY if found["status"] == "training" or found["paused"] else _SOON,
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


def _job_of(visit: Visit, job_id: str | None) -> dict[str, Any]:
    """The job that trains, its newest events in words, and the curves of its losses."""
    if job_id is None:
        return {"job": None, "events": [], "plots": []}
    path = f"/fine_tuning/jobs/{step(job_id)}"
    job = visit.api.all([Asked(path)])[0]
    events = visit.api.every(f"{path}/events", most=_MOST_EVENTS) if job else []
    words = [event for event in events if event["type"] != "metrics"]
    return {"job": job, "events": words[:_MOST_WORDS], "plots": list(plotted([loss_curves(events)]))}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
