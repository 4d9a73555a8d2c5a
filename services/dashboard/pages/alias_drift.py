"""Drift: how the traffic of an alias stands to what its model learnt from, and the next distillation, filled in."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from dashboard.answers import Answer, Page, SeeOther
from dashboard.plotted import plotted
from dashboard.shown import step
from dashboard.visit import Visit
from distillations.drift.document import AliasDrift, TrafficDrift
from distillations.drift.figures import figures
from foundation.errors import ApiError
from foundation.routes import Routes

pages = Routes("Aliases")
_MOST_PLOTS = 12


@pages.get("/aliases/<name>/drift", scope="read")
def look(visit: Visit) -> Answer:
    """The newest look at each slice, with plots and their numbers."""
    drift = _found(visit)
    found = drift.whole
    plots = [list(plotted(figures(one)[: _MOST_PLOTS // len(found)])) for one in found]
    forms = [dict(parse_qsl(urlsplit(one.next.url).query)) if one.next else {} for one in found]
    shown = list(zip(found, map(_slice, found), plots, forms, strict=True))
    content = {"shown": shown, "left_out": drift.left_out}
    return Page("alias_drift.html", f"Drift of {visit.parameters['name']}", content)


@pages.post("/aliases/<name>/drift/leave-out", scope="write")
def leave_out(visit: Visit) -> Answer:
    """Leave metadata keys out of the looks from the next one on."""
    keys = [key.strip() for key in visit.form().get("keys", "").splitlines() if key.strip()]
    visit.api.put(f"{_path(visit)}/drift", {"leave_out": keys})
    return SeeOther(f"{_path(visit)}/drift")


@pages.post("/aliases/<name>/drift/distill", scope="write")
def distill(visit: Visit) -> Answer:
    """Start the next distillation of a slice as it is filled in."""
    form = visit.form()
    asked = form.get("dataset_id"), form.get("slice", "")
    drift = next((drift for drift in _found(visit).whole if (drift.dataset_id, _slice(drift)) == asked), None)
    if drift is None or drift.next is None:
        raise ApiError("Nothing drifts any more: look at the alias again.", code="no_drift", status=409)
    made = visit.api.post("/distillations", drift.next.body)
    return SeeOther(f"/distillations/{step(made['id'])}")


def _slice(drift: TrafficDrift) -> str:
    """What tells a slice from the others of its alias, of which two may be answered by the same model."""
    return urlencode(sorted(drift.when.items()))


def _found(visit: Visit) -> AliasDrift:
    return AliasDrift.model_validate(visit.api.get(f"{_path(visit)}/drift"))


def _path(visit: Visit) -> str:
    return f"/aliases/{step(visit.parameters['name'])}"
