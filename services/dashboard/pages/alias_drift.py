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
def drift(visit: Visit) -> Answer:
    """The newest look at each slice, with plots and their numbers."""
    found = _found(visit)
    plots = [list(plotted(figures(drift)[: _MOST_PLOTS // len(found)])) for drift in found]
    forms = [dict(parse_qsl(urlsplit(drift.next.url).query)) if drift.next else {} for drift in found]
    shown = list(zip(found, map(_slice, found), plots, forms, strict=True))
    return Page("alias_drift.html", f"Drift of {visit.parameters['name']}", {"shown": shown})


@pages.post("/aliases/<name>/drift/distill", scope="write")
def distill(visit: Visit) -> Answer:
    """Start the next distillation of a slice as it is filled in."""
    form = visit.form()
    asked = form.get("dataset_id"), form.get("slice", "")
    drift = next((drift for drift in _found(visit) if (drift.dataset_id, _slice(drift)) == asked), None)
    if drift is None or drift.next is None:
        raise ApiError("Nothing drifts any more: look at the alias again.", code="no_drift", status=409)
    made = visit.api.post("/distillations", drift.next.body)
    return SeeOther(f"/distillations/{step(made['id'])}")


def _slice(drift: TrafficDrift) -> str:
    """What tells a slice from the others of its alias, of which two may be answered by the same model."""
    return urlencode(sorted(drift.when.items()))


def _found(visit: Visit) -> list[TrafficDrift]:
    return AliasDrift.model_validate(visit.api.get(f"/aliases/{step(visit.parameters['name'])}/drift")).whole
