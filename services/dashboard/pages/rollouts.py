"""Rollouts: an alias on its way to another model, its gates and the evidence so far, and the way back."""

from __future__ import annotations

from typing import Any

from dashboard import graded
from dashboard.answers import Answer, Page, SeeOther
from dashboard.shown import step
from dashboard.stillhouse_api import MODELS, Asked, names_of
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Rollouts")
_QUERY = (
    Query("after", "The id after which the page begins."),
    Query("alias", "Only the rollouts of this alias; the form begins with it."),
    Query("candidate", "The model that the form begins with."),
    Query("verdict_id", "The verdict whose model and eval the form begins with."),
)
_SIDES = ("stable", "candidate")
_FORM = ("alias", "candidate", "verdict_id")
_PAIRS = (
    Query("after", "The pair after which the page begins."),
    Query("which", "`all` for all pairs; else those that the candidate lost."),
)
_A_PAGE = "20"
_TEXTS = ("alias", "candidate", "eval_id", "verdict_id")
_NUMBERS = ("max_usd", "share", "min_pairs", "min_minutes")
_FRACTIONS = frozenset({"max_usd", "share"})
_LONGEST = 20
_REFRESH_S = 5
_PASSING = frozenset({"no_data", "provider_away"})


@pages.get("/rollouts", scope="read", query=_QUERY)
def rollouts(visit: Visit) -> Answer:
    """The rollouts, the newest first, and a form that begins one."""
    wanted = {name: visit.query[name] for name in ("after", "alias") if name in visit.query}
    page, aliases, evals, models = visit.api.all(
        [
            Asked("/rollouts", {"limit": "50", **wanted}),
            Asked("/aliases", {"limit": "100"}),
            Asked("/evals", {"limit": "100", "order": "desc"}),
            MODELS,
        ]
    )
    content = {
        "page": page,
        "query": wanted,
        "given": {name: visit.query.get(name, "") for name in _FORM},
        "aliases": [alias["id"] for alias in aliases["data"]],
        "evals": [(made["id"], made["name"] or made["id"]) for made in evals["data"]],
        "models": names_of(models),
    }
    return Page("rollouts.html", "Rollouts", content)


@pages.post("/rollouts", scope="write")
def begin(visit: Visit) -> Answer:
    """Begin a rollout."""
    form = visit.form()
    body: dict[str, Any] = {name: form[name].strip() for name in _TEXTS if form.get(name, "").strip()}
    body |= {name: _number(form[name], name) for name in _NUMBERS if form.get(name, "").strip()}
    if form.get("stages", "").strip():
        body["stages"] = [int(_number(part, "stages")) for part in form["stages"].split(",")]
    made = visit.api.post("/rollouts", body)
    return SeeOther(f"/rollouts/{step(made['id'])}")


@pages.get("/rollouts/<rollout_id>", scope="read")
def rollout(visit: Visit) -> Answer:
    """A rollout: its stages, how each gate stands and by what, what users got, and what can be done with it."""
    found = visit.api.get(_path(visit))
    moves = found["status"] == "running" or (found["pause"] is not None and found["pause"]["reason"] in _PASSING)
    content = {
        "rollout": found,
        "ended": found["ended_at"] is not None,
        "steps": found["steps"][::-1],
        "seconds": _REFRESH_S if moves else 0,
        "answered": [sum(counts[side]["answered_users"] for counts in found["counts"]) for side in _SIDES],
    }
    return Page("rollout.html", f"{found['alias']}: {found['candidate']}", content)


@pages.get("/rollouts/<rollout_id>/pairs", scope="read", query=_PAIRS)
def pairs(visit: Visit) -> Answer:
    """The pairs one by one, what a user got beside the other answer, with each grade: first those that were lost."""
    query = {name: visit.query[name] for name in ("after", "which") if name in visit.query}
    wanted = {"limit": _A_PAGE, **{name: value for name, value in query.items() if name == "after"}}
    if query.get("which") != "all":
        wanted["lost"] = "true"
    found, page = visit.api.all([Asked(_path(visit)), Asked(f"{_path(visit)}/pairs", wanted)])
    if found is None or page is None:
        raise ApiError("There is no such rollout.", code="not_found", status=404)
    shown = [{**pair, **{side: graded.row(pair[side]["item"]) for side in _SIDES}} for pair in page["data"]]
    content = {"rollout": found, "page": page, "pairs": shown, "query": query, "path": f"{_path(visit)}/pairs"}
    return Page("rollout_pairs.html", f"Pairs of {found['alias']}", content)


@pages.post("/rollouts/<rollout_id>/freeze", scope="write")
def freeze(visit: Visit) -> Answer:
    """Keep the shares as they are."""
    return _asked(visit, "freeze")


@pages.post("/rollouts/<rollout_id>/resume", scope="write")
def resume(visit: Visit) -> Answer:
    """Let it go on, with a larger budget if one is given."""
    budget = visit.form().get("max_usd", "").strip()
    return _asked(visit, "resume", {"max_usd": _number(budget, "max_usd")} if budget else {})


@pages.post("/rollouts/<rollout_id>/rollback", scope="write")
def roll_back(visit: Visit) -> Answer:
    """Let the model of before take all calls again."""
    return _asked(visit, "rollback")


@pages.post("/rollouts/<rollout_id>/cancel", scope="write")
def cancel(visit: Visit) -> Answer:
    """End it before its candidate has answered anybody."""
    return _asked(visit, "cancel")


def _asked(visit: Visit, verb: str, fields: dict[str, Any] | None = None) -> Answer:
    why = visit.form().get("why", "").strip()
    visit.api.post(f"{_path(visit)}/{verb}", {**(fields or {}), **({"why": why} if why else {})})
    return SeeOther(_path(visit))


def _path(visit: Visit) -> str:
    return f"/rollouts/{step(visit.parameters['rollout_id'])}"


def _number(text: str, field: str) -> float | int:
    plain = text.strip()
    digits = plain.replace(".", "", 1) if field in _FRACTIONS else plain
    if not (digits.isascii() and digits.isdecimal() and len(plain) <= _LONGEST):
        raise ApiError("A number is expected.", code="invalid_value", param=field)
    return float(plain) if field in _FRACTIONS else int(plain)
