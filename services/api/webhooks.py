"""Webhook endpoints: create, list, retrieve, update, delete, rotate the secret. Shapes: OpenAI's.

A secret is in the answer to the POST that made it and nowhere else.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from api import retried
from foundation import http
from foundation.document import Body, Deleted, Document
from foundation.errors import Conflict
from foundation.ids import now
from foundation.routes import PAGE, Routes
from foundation.settings import settings
from notifications.endpoints import (
    EVENT_TYPES,
    MOST_ENDPOINTS,
    Endpoint,
    EndpointDocument,
    EventType,
    SecretEndpointDocument,
    host_of,
    may_be_public,
    new_secret,
)

router = Routes("Webhook endpoints")
_OVERLAP_S = 24 * 3600


def _reachable(url: str) -> str:
    parts = urlsplit(url)
    lenient = settings().WEBHOOKS_TO_PRIVATE
    if parts.scheme != "https" and not (lenient and parts.scheme == "http"):
        raise ValueError("use a URL that starts with https://")
    if not parts.hostname or parts.username or parts.password or parts.fragment:
        raise ValueError("use a URL with a host, without a user, a password or a fragment")
    host = host_of(url)
    if not lenient and not may_be_public(host):
        raise ValueError("webhooks go to public addresses only")
    return url


type _Name = Annotated[str, Field(min_length=1, max_length=128)]
type _Url = Annotated[str, Field(max_length=2048), AfterValidator(_reachable)]
type _Types = Annotated[list[EventType], Field(min_length=1)]


class NewEndpoint(Body):
    """A webhook endpoint to be made."""

    event_types: _Types
    """The events to deliver; GET /v1/webhook_event_types lists them."""
    name: _Name
    """For people, to tell endpoints apart."""
    url: _Url
    """Where events are sent to by POST: `https://`, of a public host."""


class EndpointChanges(Body):
    """What to change of an endpoint; what is absent stays."""

    event_types: _Types | None = None
    name: _Name | None = None
    url: _Url | None = None


class Rotation(Body):
    """How the old secret ends."""

    keep_old_secret_active_for_24_hours: bool = False
    """Whether both secrets sign every delivery for a day. Otherwise the old one ends now."""


class EventTypes(Document):
    """The types of events that an endpoint can be told of."""

    object: Literal["list"] = "list"
    data: list[str]


@router.post("/v1/webhook_endpoints", scope="admin", errors={409: "There are 20 endpoints, as many as there may be."})
def create_endpoint(asked: NewEndpoint) -> SecretEndpointDocument:
    """Create a webhook endpoint.

    The answer has the secret that signs deliveries, as the Standard Webhooks specification says; it is shown this once.
    """
    endpoint_id, at = retried.object_id(router, "whe_"), now()
    made = Endpoint.find(endpoint_id)
    if made is None and len(Endpoint.page(limit=MOST_ENDPOINTS).data) >= MOST_ENDPOINTS:
        raise Conflict(f"There are {MOST_ENDPOINTS} endpoints, as many as there may be. Delete one first.")
    Endpoint(id=endpoint_id, created_at=at, updated_at=at, secret=new_secret(), **asked.model_dump()).create()
    return Endpoint.load(endpoint_id).with_secret()


@router.get("/v1/webhook_endpoints", scope="admin", lists=EndpointDocument, query=PAGE)
def list_endpoints() -> dict[str, Any]:
    """List webhook endpoints, the newest first."""
    return http.list_of(router, Endpoint, Endpoint.public, order="desc")


@router.get("/v1/webhook_endpoints/<endpoint_id>", scope="admin")
def retrieve_endpoint(endpoint_id: str) -> EndpointDocument:
    """Retrieve a webhook endpoint, without its secret."""
    return _endpoint(endpoint_id).public()


@router.post("/v1/webhook_endpoints/<endpoint_id>", scope="admin")
def update_endpoint(endpoint_id: str, asked: EndpointChanges) -> EndpointDocument:
    """Change a webhook endpoint's events, name or URL."""
    endpoint = _endpoint(endpoint_id)
    changes = asked.model_dump(exclude_none=True)
    if any(getattr(endpoint, name) != value for name, value in changes.items()):
        endpoint.change({**changes, "updated_at": now()})
    return _endpoint(endpoint_id).public()


@router.delete("/v1/webhook_endpoints/<endpoint_id>", scope="admin")
def delete_endpoint(endpoint_id: str) -> Deleted:
    """Delete a webhook endpoint; nothing more is delivered to it."""
    _endpoint(endpoint_id).remove()
    return Deleted(id=endpoint_id, object="webhook_endpoint.deleted")


@router.post("/v1/webhook_endpoints/<endpoint_id>/rotate_secret", scope="admin")
def rotate_secret(endpoint_id: str, asked: Rotation) -> SecretEndpointDocument:
    """Give a webhook endpoint a new secret, which is shown this once."""
    endpoint, at = _endpoint(endpoint_id), now()
    rotation = retried.object_id(router, "rotation_")
    overlaps = asked.keep_old_secret_active_for_24_hours
    old = {
        "old_secret": endpoint.secret if overlaps else None,
        "old_secret_until": at + _OVERLAP_S if overlaps else None,
    }
    if endpoint.rotation != rotation:
        changes = {"secret": new_secret(), **old, "updated_at": at, "rotation": rotation}
        # Another attempt of this request may rotate at the same moment: one of them does.
        endpoint.change(changes, where={"rotation": endpoint.rotation})
    return _endpoint(endpoint_id).with_secret()


@router.get("/v1/webhook_event_types", scope="read")
def list_event_types() -> EventTypes:
    """List the types of events that a webhook endpoint can be told of."""
    return EventTypes(data=list(EVENT_TYPES))


def _endpoint(endpoint_id: str) -> Endpoint:
    return Endpoint.load(endpoint_id, param="webhook_endpoint_id")
