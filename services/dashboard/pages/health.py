"""Health: the queues and their dead letters, what waits, the alarms, and putting dead letters back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.answers import Answer, Page, SeeOther
from dashboard.linked import linked
from dashboard.shown import step
from dashboard.visit import Visit
from foundation.routes import Routes

pages = Routes("Health")


@pages.get("/health", scope="admin")
def health(visit: Visit) -> Answer:
    """How the stack is now."""
    found = visit.api.get("/health")
    content = {
        "health": found,
        "raised": [alarm for alarm in found["alarms"] if alarm["state"] == "alarm"],
        "dead": sum(queue["dead"] for queue in found["queues"]),
        "waiting": [(work, _path(work)) for work in found["open"] if work["waits_for"]],
        "going_on": [(work, _path(work)) for work in found["open"] if not work["waits_for"]],
    }
    return Page("health.html", "Health", content)


@pages.post("/health/<queue>/redrive", scope="admin")
def redrive(visit: Visit) -> Answer:
    """Put the dead letters of a queue back."""
    visit.api.post(f"/health/{step(visit.parameters['queue'])}/redrive")
    return SeeOther("/health")


def _path(work: Mapping[str, Any]) -> str | None:
    if work["eval_id"]:
        return f"/evals/{step(work['eval_id'])}/runs/{step(work['id'])}"
    return linked(work["kind"], work["id"]).path
