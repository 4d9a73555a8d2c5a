"""Webhook endpoints: create, list, retrieve, update, delete, rotate the secret. Shapes: OpenAI's.

A secret is in the answer to the POST that made it and nowhere else.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Literal

from api import retried
from api.channel_fields import ChannelName, Types, Url
from foundation import http
from foundation.document import Body, Deleted, Document
from foundation.errors import Conflict, NotFound
from foundation.ids import now
from foundation.routes import PAGE, Routes
from notifications.channels import (
    MOST_CHANNELS,
    Channel,
    EndpointDocument,
    SecretEndpointDocument,
    made_channels,
    new_secret,
)
from notifications.event_types import EVENT_TYPES

router = Routes("Webhook endpoints")
_OVERLAP_S = 24 * 3600


class NewEndpoint(Body):
    """A webhook endpoint to be made."""

    event_types: Types
    """The events to deliver; GET /v1/webhook_event_types lists them."""
    name: ChannelName
    """For people, to tell endpoints apart."""
    url: Url
    """Where events are sent to by POST: `https://`, of a public host."""


class EndpointChanges(Body):
    """What to change of an endpoint; what is absent stays."""

    event_types: Types | None = None
    name: ChannelName | None = None
    url: Url | None = None


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
    refuse_one_more(endpoint_id)
    made = Channel(id=endpoint_id, created_at=at, updated_at=at, secret=new_secret(), **asked.model_dump())
    made.create()
    return _endpoint(endpoint_id).endpoint_with_secret()


def refuse_one_more(channel_id: str) -> None:
    """Raises Conflict where there are as many channels as there may be, unless this one is there."""
    if Channel.find(channel_id) is None and sum(1 for _ in made_channels()) >= MOST_CHANNELS:
        raise Conflict(f"There are {MOST_CHANNELS} endpoints and channels, as many as there may be. Delete one first.")


@router.get("/v1/webhook_endpoints", scope="admin", lists=EndpointDocument, query=PAGE)
def list_endpoints() -> dict[str, Any]:
    """List webhook endpoints, the newest first."""
    limit = http.limit_of(router)
    every = Channel.every(after=http.query_of(router, "after"), descending=http.descending(router, default="desc"))
    webhooks = (channel.endpoint() for channel in every if channel.type == "webhook")
    return http.listed(islice(webhooks, limit + 1), limit)


@router.get("/v1/webhook_endpoints/<endpoint_id>", scope="admin")
def retrieve_endpoint(endpoint_id: str) -> EndpointDocument:
    """Retrieve a webhook endpoint, without its secret."""
    return _endpoint(endpoint_id).endpoint()


@router.post("/v1/webhook_endpoints/<endpoint_id>", scope="admin")
def update_endpoint(endpoint_id: str, asked: EndpointChanges) -> EndpointDocument:
    """Change a webhook endpoint's events, name or URL."""
    endpoint = _endpoint(endpoint_id)
    changes = asked.model_dump(exclude_none=True)
    if any(getattr(endpoint, name) != value for name, value in changes.items()):
        endpoint.change({**changes, "updated_at": now()})
    return _endpoint(endpoint_id).endpoint()


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
    return _endpoint(endpoint_id).endpoint_with_secret()


@router.get("/v1/webhook_event_types", scope="read")
def list_event_types() -> EventTypes:
    """List the types of events that a webhook endpoint can be told of."""
    return EventTypes(data=list(EVENT_TYPES))


def _endpoint(endpoint_id: str) -> Channel:
    found = Channel.find(endpoint_id)
    if found is None or found.type != "webhook":
        raise NotFound("webhook endpoint", endpoint_id, param="webhook_endpoint_id")
    return found
