"""Lineages: the graph around an object, from completions to an alias, to be walked both ways."""

from __future__ import annotations

from dashboard.answers import Answer, Page
from dashboard.lineage_graph import lineage_figure, objects
from dashboard.shown import step
from dashboard.visit import Visit
from foundation.routes import Routes

pages = Routes("Lineages")
_MOST_LISTED = 200


@pages.get("/lineage/<object_id:path>", scope="read")
def lineage(visit: Visit) -> Answer:
    """The graph around an object, with a line for each object of it."""
    object_id = visit.parameters["object_id"]
    found = visit.api.get(f"/lineage/{step(object_id)}", {"limit": "10"})
    listed = objects(found)
    content = {
        "lineage": found,
        "figure": lineage_figure(found),
        "objects": listed[:_MOST_LISTED],
        "left_out": len(listed) > _MOST_LISTED or found["has_more"],
        "start": next((one for one in listed if one.side == "start"), None),
    }
    return Page("lineage.html", f"Lineage of {object_id}", content)
