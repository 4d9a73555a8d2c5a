"""Webhook endpoints: create, list, retrieve, update, delete, rotate the secret. Shapes: OpenAI's.

A secret is in the answer to the POST that made it and nowhere else.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field

from api import retried
from foundation import http
from foundation.errors import Conflict
from foundation.ids import now
from foundation.routes import Routes
from foundation.settings import settings
from notifications.endpoints import EVENT_TYPES, MOST_ENDPOINTS, Endpoint, EventType, may_be_public, new_secret

router = Routes("Webhook endpoints")
_OVERLAP_S = 24 * 3600


def _reachable(url: str) -> str:
    parts = urlsplit(url)
    lenient = settings().WEBHOOKS_TO_PRIVATE
    if parts.scheme != "https" and not (lenient and parts.scheme == "http"):
        raise ValueError("use a URL that starts with https://")
    if not parts.hostname or parts.username or parts.password or parts.fragment:
        raise ValueError("use a URL with a host, without a user, a password or a fragment")
    if not lenient and not may_be_public(parts.hostname):
        raise ValueError("webhooks go to public addresses only")
    return url


type _Name = Annotated[str, Field(min_length=1, max_length=128)]
type _Url = Annotated[str, Field(max_length=2048), AfterValidator(_reachable)]
type _Types = Annotated[list[EventType], Field(min_length=1)]


class NewEndpoint(BaseModel):
    """What a caller sends."""

    event_types: _Types
    name: _Name
    url: _Url


class Changes(BaseModel):
    """What may be changed; absent stays."""

    event_types: _Types | None = None
    name: _Name | None = None
    url: _Url | None = None


class Rotation(BaseModel):
    """Whether both secrets sign for a day."""

    keep_old_secret_active_for_24_hours: bool = False


@router.post("/v1/webhook_endpoints", scope="admin")
def create_endpoint(asked: NewEndpoint) -> dict[str, Any]:
    if len(Endpoint.page(limit=MOST_ENDPOINTS).data) >= MOST_ENDPOINTS:
        raise Conflict(f"There are {MOST_ENDPOINTS} endpoints, as many as there may be. Delete one first.")
    at = now()
    endpoint = Endpoint(
        id=retried.object_id(router, "whe_"), created_at=at, updated_at=at, secret=new_secret(), **asked.model_dump()
    )
    if not endpoint.create():
        endpoint = Endpoint.load(endpoint.id)
    return _with_secret(endpoint)


@router.get("/v1/webhook_endpoints", scope="admin")
def list_endpoints() -> dict[str, Any]:
    return http.list_of(router, Endpoint, Endpoint.public, order="desc")


@router.get("/v1/webhook_endpoints/<endpoint_id>", scope="admin")
def retrieve_endpoint(endpoint_id: str) -> dict[str, Any]:
    return _endpoint(endpoint_id).public()


@router.post("/v1/webhook_endpoints/<endpoint_id>", scope="admin")
def update_endpoint(endpoint_id: str, asked: Changes) -> dict[str, Any]:
    endpoint = _endpoint(endpoint_id)
    changes = asked.model_dump(exclude_none=True)
    if any(getattr(endpoint, name) != value for name, value in changes.items()):
        endpoint.change({**changes, "updated_at": now()})
    return _endpoint(endpoint_id).public()


@router.delete("/v1/webhook_endpoints/<endpoint_id>", scope="admin")
def delete_endpoint(endpoint_id: str) -> dict[str, Any]:
    _endpoint(endpoint_id).remove()
    return {"object": "webhook_endpoint.deleted", "id": endpoint_id, "deleted": True}


@router.post("/v1/webhook_endpoints/<endpoint_id>/rotate_secret", scope="admin")
def rotate_secret(endpoint_id: str, asked: Rotation) -> dict[str, Any]:
    endpoint, at = _endpoint(endpoint_id), now()
    overlaps = asked.keep_old_secret_active_for_24_hours
    old = {
        "old_secret": endpoint.secret if overlaps else None,
        "old_secret_until": at + _OVERLAP_S if overlaps else None,
    }
    endpoint.change({"secret": new_secret(), **old, "updated_at": at})
    return _with_secret(_endpoint(endpoint_id))


@router.get("/v1/webhook_event_types", scope="read")
def list_event_types() -> dict[str, Any]:
    return {"object": "list", "data": list(EVENT_TYPES)}


def _endpoint(endpoint_id: str) -> Endpoint:
    return Endpoint.load(endpoint_id, param="webhook_endpoint_id")


def _with_secret(endpoint: Endpoint) -> dict[str, Any]:
    return {**endpoint.public(), "signing_secret": endpoint.secret}
