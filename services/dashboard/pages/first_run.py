"""The first page: the completions, or how to send the first one."""

from __future__ import annotations

from dashboard.answers import Answer, Page, SeeOther
from dashboard.stillhouse_api import MODELS, names_of
from dashboard.visit import Visit, link
from foundation.routes import Routes
from foundation.settings import settings

pages = Routes("First run")


@pages.get("/", scope="read")
def first_page(visit: Visit) -> Answer:
    """Whoever has completions sees them, also where every call has failed; whoever has none, how they come."""
    if visit.api.get("/chat/completions", {"limit": "1"})["data"]:
        return SeeOther("/completions")
    failed = {"has_error": "true"}
    if visit.api.get("/chat/completions", {"limit": "1", **failed})["data"]:
        return SeeOther("/completions", failed)
    return _first_run(visit, None)


@pages.post("/first-key", scope="admin")
def make_key(visit: Visit) -> Answer:
    """Make the key that the snippets name; it is shown this once."""
    key = visit.api.post("/keys", {"name": "application", "scopes": ["capture", "infer"]})
    return _first_run(visit, key["key"])


def _first_run(visit: Visit, key: str | None) -> Page:
    models = names_of(visit.api.all([MODELS])[0])
    content = {
        # One that answers here, so that the snippet runs as it is.
        "model": models[0] if models else "gpt-4o",
        "key": key,
        "api_url": settings().API_URL,
        "seconds": None if key else 10,
        "completions": link("/completions"),
    }
    return Page("first_run.html", "Send the first completion", content)
