"""Aliases: the names that applications call, who answers for each, what it said before, and the way back."""

from __future__ import annotations

from itertools import count, takewhile
from math import isfinite
from typing import Any
from urllib.parse import unquote

from dashboard.answers import Answer, Page, SeeOther
from dashboard.shown import step
from dashboard.stillhouse_api import MODELS, Asked, names_of
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Aliases")
_VERSIONS = "20"
_LONGEST_WEIGHT = 7
_PROPOSED = (
    Query("model", "A target that the form proposes besides."),
    Query("to", "Who answers what it is not sure of."),
    Query("threshold", "The least mean log-probability that is sure."),
)
_CODED = str.maketrans({",": "%2C", "=": "%3D", "%": "%25"})


@pages.get("/aliases", scope="read")
def aliases(visit: Visit) -> Answer:
    """Every alias with the shares of its models, and a form for a new one."""
    listed, models = visit.api.all([Asked("/aliases", {"limit": "100"}), MODELS])
    found = [{**alias, "shares": _shares(alias)} for alias in listed["data"]]
    return Page("aliases.html", "Aliases", {"aliases": found, "models": names_of(models)})


@pages.post("/aliases", scope="write")
def make(visit: Visit) -> Answer:
    """Make an alias that points at one model."""
    form = visit.form()
    name = form.get("name", "").strip()
    if not name:
        raise ApiError("Give the alias a name.", code="invalid_value", param="name")
    body = {"targets": [{"model": form.get("model", "").strip()}], "version": 0, "why": form.get("why") or None}
    visit.api.put(_path(name), body)
    return SeeOther(_path(name))


@pages.get("/aliases/<name>", scope="read", query=_PROPOSED)
def alias(visit: Visit) -> Answer:
    """An alias: who answers which share, a form to change that, and its versions with a button to go back to each."""
    name = visit.parameters["name"]
    found = visit.api.get(_path(name))
    # An alias is gone back with, too, while nobody can say how its traffic stands.
    drift_of = Asked(f"{_path(name)}/drift", spare=True)
    versions, models, drift = visit.api.all([Asked(f"{_path(name)}/versions", {"limit": _VERSIONS}), MODELS, drift_of])
    shares = _shares(found)
    content = {
        "alias": found,
        "shares": shares,
        "versions": [{**version, "shares": _shares(version)} for version in versions["data"]],
        "has_more": versions["has_more"],
        "models": names_of(models),
        "proposed": "model" in visit.query,
        "rows": _with_proposed(shares, visit),
        "drift": drift,
    }
    return Page("alias.html", name, content)


def _with_proposed(shares: list[dict[str, Any]], visit: Visit) -> list[dict[str, Any]]:
    """The rows of the form: the targets, with the one that a verdict's page proposes.

    A target that answers already gets the cascade: the alias would refuse to name it twice.
    """
    model, to = visit.query.get("model"), visit.query.get("to")
    if not model:
        return shares
    cascade = {"to": to, "threshold": visit.query.get("threshold", "")} if to else None
    own = [share for share in shares if share["model"] == model and not share["slice"]]
    rows = [{**share, "cascade": cascade} if share in own else share for share in shares]
    return rows if own else [*rows, {"model": model, "weight": 1, "slice": "", "cascade": cascade}]


@pages.post("/aliases/<name>/change", scope="write")
def change(visit: Visit) -> Answer:
    """Change the targets. It is refused where somebody else has changed the alias since the page was made."""
    name, form = visit.parameters["name"], visit.form()
    sticky = {key: form.get(f"sticky_{key}", "").strip() or None for key in ("header", "metadata")}
    body = {
        "targets": _targets(form),
        "sticky_by": sticky if any(sticky.values()) else None,
        "fallback": form.get("fallback", "").strip() or None,
        "promote_on": "beats_baseline" if form.get("promote") else None,
        "why": form.get("why", "").strip() or None,
        "version": _number(form.get("version", ""), "version"),
    }
    visit.api.put(_path(name), body)
    return SeeOther(_path(name))


@pages.post("/aliases/<name>/rollback", scope="write")
def roll_back(visit: Visit) -> Answer:
    """Go back to an earlier version."""
    name, form = visit.parameters["name"], visit.form()
    body = {field: _number(form.get(field, ""), field) for field in ("to", "version") if form.get(field)}
    visit.api.post(f"{_path(name)}/rollback", {**body, "why": form.get("why", "").strip() or None})
    return SeeOther(_path(name))


def _targets(form: dict[str, str]) -> list[dict[str, Any]]:
    """The rows of the form that name a model."""
    rows = takewhile(lambda number: f"model_{number}" in form, count())
    return [
        {
            "model": form[f"model_{number}"].strip(),
            "weight": _number(form.get(f"weight_{number}", "") or "0", f"weight_{number}"),
            "when": _when(form.get(f"when_{number}", "")),
            "cascade": _cascade(form, number),
        }
        for number in rows
        if form[f"model_{number}"].strip()
    ]


def _cascade(form: dict[str, str], number: int) -> dict[str, Any] | None:
    """Who answers what a row's model is not sure of; None where the row names nobody."""
    to, field = form.get(f"cascade_to_{number}", "").strip(), f"cascade_threshold_{number}"
    if not to:
        return None
    try:
        threshold = float(form.get(field, ""))
    except ValueError as error:
        raise ApiError("A number of at most 0 is expected.", code="invalid_value", param=field) from error
    if not isfinite(threshold):
        raise ApiError("A number of at most 0 is expected.", code="invalid_value", param=field)
    return {"to": to, "by": "logprob", "threshold": threshold}


def _when(text: str) -> dict[str, str]:
    """The pairs of metadata in a text such as `topic=refund, tier=gold`, as `_slice` writes them."""
    pairs = [pair.strip() for pair in text.split(",") if pair.strip()]
    wrong = next((pair for pair in pairs if not pair.partition("=")[0] or "=" not in pair), None)
    if wrong is not None:
        raise ApiError(f"Write metadata as name=value: '{wrong[:64]}' is not.", code="invalid_value", param="when")
    return {unquote(name.strip()): unquote(value.strip()) for name, _, value in (pair.partition("=") for pair in pairs)}


def _slice(when: dict[str, str]) -> str:
    """Pairs of metadata as text; a comma, an equals sign or a percent sign in them is percent-encoded."""
    return ", ".join(f"{key.translate(_CODED)}={value.translate(_CODED)}" for key, value in when.items())


def _number(text: str, field: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _LONGEST_WEIGHT):
        raise ApiError("A whole number is expected.", code="invalid_value", param=field)
    return int(digits)


def _shares(version: dict[str, Any]) -> list[dict[str, Any]]:
    """Each target with its share of the calls of its slice, and the slice in words."""
    shown = []
    for target in version["targets"]:
        whole = sum(other["weight"] for other in version["targets"] if other["when"] == target["when"])
        share = target["weight"] / whole if whole else 0.0
        shown.append({**target, "share": share, "whole": whole, "slice": _slice(target["when"])})
    return shown


def _path(name: str) -> str:
    return f"/aliases/{step(name)}"
