"""Usage: volume, tokens, cost and latency, and what was spent this month."""

from __future__ import annotations

from dashboard.answers import Answer, Page
from dashboard.filters import FIELDS, query_of
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from foundation.routes import Query, Routes

pages = Routes("Usage")
_QUERY = (*(Query(name, "A field of the filter.") for name in FIELDS), Query("group_by", "What a line is."))


@pages.get("/usage", scope="read", query=_QUERY)
def usage(visit: Visit) -> Answer:
    """What was asked, by model, by day or by a tag."""
    group = visit.query.get("group_by", "model")
    used, costs = visit.api.all([Asked("/usage", {**query_of(visit.query), "group_by": group}), Asked("/costs")])
    highest = max((line["completions"] for line in used["data"]), default=0)
    content = {"usage": used, "costs": costs, "group_by": group, "highest": highest, "query": dict(visit.query)}
    return Page("usage.html", "Usage", content)
