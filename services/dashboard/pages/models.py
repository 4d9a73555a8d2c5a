"""Models: those that can be asked, those that were trained, and what one came from."""

from __future__ import annotations

from dashboard.answers import Answer, Page, SeeOther
from dashboard.lineage_graph import lineage_figure
from dashboard.shown import step
from dashboard.stillhouse_api import MODELS, Asked
from dashboard.visit import Visit
from foundation.routes import Routes

pages = Routes("Models")
_MOST = 500
"""The most models that a page lists: some providers have thousands."""


@pages.get("/models", scope="read")
def models(visit: Visit) -> Answer:
    """Every model, and what costs while nobody asks it."""
    listed, deployments = visit.api.all([MODELS, Asked("/deployments", {"limit": "100"})])
    ends = {model["id"]: model.get("shutdown_date") for model in listed["data"]} if listed else {}
    content = {
        "models": listed and listed["data"][:_MOST],
        "missing": (listed or {}).get("missing_providers", []),
        "deployments": deployments["data"],
        "ends": ends,
    }
    return Page("models.html", "Models", content)


@pages.get("/models/<model:path>", scope="read")
def model(visit: Visit) -> Answer:
    """A model, what it was made from, and what was made with it."""
    name = visit.parameters["model"]
    found, lineage, deployments = visit.api.all(
        [
            Asked(f"/models/{step(name)}", spare=True),
            Asked(f"/lineage/{step(name)}", {"limit": "10"}),
            Asked("/deployments", {"limit": "100"}),
        ]
    )
    content = {
        "model": found or {"id": name},
        "lineage": lineage,
        "figure": lineage_figure(lineage) if lineage else None,
        "deployment": next((one for one in (deployments or {"data": []})["data"] if one["id"] == name), None),
        "trained": any(node["side"] == "up" for node in lineage["nodes"]) if lineage else False,
    }
    return Page("model.html", name, content)


@pages.post("/models/<model:path>/retire", scope="admin")
def retire(visit: Visit) -> Answer:
    """Retire a trained model: it costs and answers no longer."""
    visit.api.delete(f"/models/{step(visit.parameters['model'])}")
    return SeeOther("/models")
