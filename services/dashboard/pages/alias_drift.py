"""Drift: how the traffic of an alias stands to what its model learnt from, and the next distillation, filled in."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from dashboard.answers import Answer, Page, SeeOther
from dashboard.plotted import plotted
from dashboard.shown import step
from dashboard.visit import Visit
from distillations.drift.document import AliasDrift
from distillations.drift.figures import figures
from foundation.errors import ApiError
from foundation.routes import Routes

pages = Routes("Aliases")


@pages.get("/aliases/<name>/drift", scope="read")
def drift(visit: Visit) -> Answer:
    """The newest look, with plots and their numbers."""
    name = visit.parameters["name"]
    found = _found(visit)
    form = dict(parse_qsl(urlsplit(found.next.url).query)) if found.next else {}
    plots = list(plotted(figures(found)))
    return Page("alias_drift.html", f"Drift of {name}", {"drift": found, "plots": plots, "form": form})


@pages.post("/aliases/<name>/drift/distill", scope="write")
def distill(visit: Visit) -> Answer:
    """Start the next distillation as it is filled in."""
    found = _found(visit)
    if found.next is None:
        raise ApiError("Nothing drifts any more: look at the alias again.", code="no_drift", status=409)
    made = visit.api.post("/distillations", found.next.body)
    return SeeOther(f"/distillations/{step(made['id'])}")


def _found(visit: Visit) -> AliasDrift:
    return AliasDrift.model_validate(visit.api.get(f"/aliases/{step(visit.parameters['name'])}/drift"))
