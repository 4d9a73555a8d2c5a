"""Settings: keys, providers, webhooks and retention policies, each added and taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.answers import Answer, Page, SeeOther
from dashboard.filters import tags_of
from dashboard.shown import step
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Routes
from providers.kinds import KINDS

pages = Routes("Settings")
_HERE = "/settings"
_SCOPES = ("capture", "infer", "read", "write", "admin")
_EVENT = "event:"
"""How the names of the boxes begin that choose events."""
_LONGEST_NUMBER = 6
_MOST_KEYS = 100


@pages.get(_HERE, scope="read")
def settings(visit: Visit) -> Answer:
    """What is set up. Keys are shown to those who may make them."""
    return _page(visit)


@pages.post("/settings/keys", scope="admin")
def make_key(visit: Visit) -> Answer:
    """Make a key. It is shown this once."""
    form = visit.form()
    body = {"name": form.get("name", ""), "scopes": [scope for scope in _SCOPES if form.get(scope)]}
    return _page(visit, new_key=visit.api.post("/keys", body)["key"])


@pages.post("/settings/keys/<key_id>/revoke", scope="admin")
def revoke_key(visit: Visit) -> Answer:
    """Revoke a key."""
    visit.api.delete(f"/keys/{step(visit.parameters['key_id'])}")
    return SeeOther(_HERE)


@pages.post("/settings/providers", scope="admin")
def add_provider(visit: Visit) -> Answer:
    """Add a provider."""
    form = visit.form()
    body: dict[str, Any] = {name: form[name] for name in ("name", "kind", "trains_others") if form.get(name)}
    body |= {name: form[name] for name in ("base_url", "region", "api_key") if form.get(name)}
    if models := _names(form.get("models", "")):
        body["models"] = models
    visit.api.post("/providers", body)
    return SeeOther(_HERE)


@pages.post("/settings/providers/<name>/test", scope="admin")
def try_provider(visit: Visit) -> Answer:
    """Ask a provider one short question, and show what came back."""
    name, model = visit.parameters["name"], visit.form().get("model", "")
    trial = visit.api.post(f"/providers/{step(name)}/test", {"model": model} if model else {})
    return _page(visit, trial={**trial, "provider": name})


@pages.post("/settings/providers/<name>/remove", scope="admin")
def remove_provider(visit: Visit) -> Answer:
    """Remove a provider with its key."""
    visit.api.delete(f"/providers/{step(visit.parameters['name'])}")
    return SeeOther(_HERE)


@pages.post("/settings/webhooks", scope="admin")
def add_webhook(visit: Visit) -> Answer:
    """Add a webhook endpoint. Its secret is shown this once."""
    form = visit.form()
    types = [name.removeprefix(_EVENT) for name in form if name.startswith(_EVENT)]
    if not types:
        raise ApiError("Choose at least one event.", code="missing_required_parameter", param="event_types")
    body = {"name": form.get("name", ""), "url": form.get("url", ""), "event_types": types}
    return _page(visit, webhook=visit.api.post("/webhook_endpoints", body))


@pages.post("/settings/webhooks/<endpoint_id>/rotate", scope="admin")
def rotate_secret(visit: Visit) -> Answer:
    """Give an endpoint a new secret, which is shown this once; the old one signs beside it for a day."""
    path = f"/webhook_endpoints/{step(visit.parameters['endpoint_id'])}/rotate_secret"
    return _page(visit, webhook=visit.api.post(path, {"keep_old_secret_active_for_24_hours": True}))


@pages.post("/settings/webhooks/<endpoint_id>/remove", scope="admin")
def remove_webhook(visit: Visit) -> Answer:
    """Remove a webhook endpoint."""
    visit.api.delete(f"/webhook_endpoints/{step(visit.parameters['endpoint_id'])}")
    return SeeOther(_HERE)


@pages.post("/settings/policies", scope="write")
def add_policy(visit: Visit) -> Answer:
    """Let completions be deleted after some days."""
    visit.api.post("/retention_policies", _policy(visit.form()))
    return SeeOther(_HERE)


@pages.post("/settings/policies/<policy_id>/remove", scope="write")
def remove_policy(visit: Visit) -> Answer:
    """Take a policy away."""
    visit.api.delete(f"/retention_policies/{step(visit.parameters['policy_id'])}")
    return SeeOther(_HERE)


def _policy(form: Mapping[str, str]) -> dict[str, Any]:
    days = form.get("retention_days", "")
    if not days.isdecimal() or len(days) > _LONGEST_NUMBER:
        raise ApiError("Say after how many days.", code="invalid_value", param="retention_days")
    body: dict[str, Any] = {"retention_days": int(days)}
    if form.get("policy_model"):
        body["model"] = form["policy_model"]
    if form.get("metadata"):
        body["metadata"] = tags_of(form["metadata"])
    return {**body, "all": True} if form.get("all") else body


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _page(visit: Visit, *, new_key: str | None = None, trial: Any = None, webhook: Any = None) -> Page:
    page = {"limit": "100"}
    keys, providers, webhooks, policies, types = visit.api.all(
        [
            Asked("/keys", {"limit": str(_MOST_KEYS), "order": "desc"}),
            Asked("/providers", page),
            Asked("/webhook_endpoints", page),
            Asked("/retention_policies", page),
            Asked("/webhook_event_types"),
        ]
    )
    content = {
        "keys": keys,
        "providers": providers,
        "webhooks": webhooks,
        "policies": policies,
        "event_types": types["data"],
        "scopes": _SCOPES,
        "kinds": tuple(KINDS),
        "new_key": new_key,
        "trial": trial,
        "webhook": webhook,
    }
    return Page("settings.html", "Settings", content)
