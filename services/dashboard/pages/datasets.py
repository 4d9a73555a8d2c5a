"""Datasets: their list, one with what its rules did, its rows by what became of them."""

from __future__ import annotations

from dashboard.answers import Answer, Page
from dashboard.shown import step
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Datasets")
_AFTER = Query("after", "The id after which the page begins.")


@pages.get("/datasets", scope="read", query=(_AFTER,))
def datasets(visit: Visit) -> Answer:
    """The datasets, the newest first."""
    return Page("datasets.html", "Datasets", {"page": visit.api.get("/datasets", {"order": "desc", **visit.query})})


@pages.get("/datasets/<dataset_id>", scope="read", query=(_AFTER, Query("outcome", "What became of the rows.")))
def dataset(visit: Visit) -> Answer:
    """A dataset and a page of its rows."""
    path = f"/datasets/{step(visit.parameters['dataset_id'])}"
    found, rows = visit.api.all([Asked(path), Asked(f"{path}/rows", {"limit": "20", **visit.query})])
    if found is None:
        raise ApiError("There is no such dataset.", code="not_found", status=404)
    page = rows or {"data": [], "has_more": False}
    card = found["card"] or {"dropped": {}, "changed": {}}
    dropped = sorted(((count, rule) for rule, count in card["dropped"].items() if count), reverse=True)
    content = {"dataset": found, "page": page, "dropped": dropped, "query": dict(visit.query)}
    return Page("dataset.html", f"Dataset {found['id']}", content)
