"""The page of the dashboard that shows what an event is about, or the list that it stands in."""

from __future__ import annotations

from foundation.settings import settings

_PAGES = {
    "eval.run": "evals/{id}",
    "distillation": "distillations/{id}",
    "fine_tuning": "models",
    "model": "models",
    "spending": "usage",
    "alias.drifted": "aliases/{id}/drift",
    "alias": "aliases/{id}",
    "rollout": "rollouts/{id}",
    "channel": "channels/{id}",
    "stack": "health",
}


def page_of(event_type: str, object_id: str) -> str:
    page = next((page for kind, page in _PAGES.items() if event_type.startswith(kind)), "")
    return f"{settings().API_URL.removesuffix('/v1')}/{page.format(id=object_id)}"
