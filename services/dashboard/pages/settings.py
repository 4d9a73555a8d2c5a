"""Settings: keys, providers, webhooks."""

from __future__ import annotations

from dashboard.answers import Answer, Page, SeeOther
from dashboard.shown import step
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from foundation.routes import Routes

pages = Routes("Settings")
_SCOPES = ("capture", "infer", "read", "write", "admin")


@pages.get("/settings", scope="read")
def settings(visit: Visit) -> Answer:
    """What is set up. Keys are shown to those who may make them."""
    return _page(visit, None)


@pages.post("/settings/keys", scope="admin")
def make_key(visit: Visit) -> Answer:
    """Make a key. It is shown this once."""
    form = visit.form()
    body = {"name": form.get("name", ""), "scopes": [scope for scope in _SCOPES if form.get(scope)]}
    return _page(visit, visit.api.post("/keys", body)["key"])


@pages.post("/settings/keys/<key_id>/revoke", scope="admin")
def revoke_key(visit: Visit) -> Answer:
    """Revoke a key."""
    visit.api.delete(f"/keys/{step(visit.parameters['key_id'])}")
    return SeeOther("/settings")


def _page(visit: Visit, new_key: str | None) -> Page:
    page = {"limit": "100"}
    keys, providers, webhooks = visit.api.all(
        [Asked("/keys", page), Asked("/providers", page), Asked("/webhook_endpoints", page)]
    )
    content = {"keys": keys, "providers": providers, "webhooks": webhooks, "scopes": _SCOPES, "new_key": new_key}
    return Page("settings.html", "Settings", content)
