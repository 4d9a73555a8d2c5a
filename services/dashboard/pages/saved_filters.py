"""Saved filters: a filter of the table is saved under a name, and deleted."""

from __future__ import annotations

from dashboard.answers import Answer, SeeOther
from dashboard.filters import fields_of, source_of
from dashboard.shown import step
from dashboard.visit import Visit
from foundation.routes import Routes

pages = Routes("Saved filters")


@pages.post("/completions/filters", scope="write")
def save(visit: Visit) -> Answer:
    """Save the filter of the form: it ends now, unless it has an end."""
    form = visit.form()
    conditions = source_of(form)
    del conditions["type"]
    visit.api.post("/filters", {"name": form.get("filter_name", ""), "filter": conditions})
    return SeeOther("/completions", fields_of({name: value for name, value in form.items() if value}))


@pages.post("/completions/filters/<filter_id>/delete", scope="write")
def delete(visit: Visit) -> Answer:
    """Delete a saved filter; completions stay."""
    visit.api.delete(f"/filters/{step(visit.parameters['filter_id'])}")
    return SeeOther("/completions")
