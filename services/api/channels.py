"""Channels: who is told of what. The stack's topic, which mails, signed webhooks, Slack; what each was told.

A webhook is also an endpoint of OpenAI's shape (`/v1/webhook_endpoints`), under the same id.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api import retried
from api.channel_fields import ChannelName, Types, Url
from api.webhooks import refuse_one_more
from foundation import http
from foundation.document import Body, Deleted
from foundation.errors import ApiError, Conflict, NotFound
from foundation.ids import new_id, now
from foundation.routes import AFTER, LIMIT, Routes
from notifications.channels import (
    Channel,
    ChannelDocument,
    MadeChannelDocument,
    MadeType,
    all_channels,
    find_channel,
    new_secret,
)
from notifications.event_types import TEST
from notifications.notices import Delivery, Notice, record
from notifications.pages import page_of

router = Routes("Channels")
_UNKNOWN = {404: "There is no such channel."}


class NewChannel(Body):
    """A channel to be made."""

    type: MadeType
    """`slack` for an incoming webhook of Slack, or of what takes the same messages; `webhook` for signed events."""
    name: ChannelName
    """For people, to tell channels apart."""
    url: Url
    """Where events are sent to by POST: `https://`, of a public host. Slack's is a secret and is not shown again."""
    event_types: Types
    """The events to deliver; GET /v1/webhook_event_types lists them."""


class ChannelChanges(Body):
    """What to change of a channel; what is absent stays."""

    name: ChannelName | None = None
    url: Url | None = None
    event_types: Types | None = Field(default=None)


@router.get("/v1/channels", scope="admin", lists=ChannelDocument)
def list_channels() -> dict[str, Any]:
    """List the channels: the stack's topic, then those that were made, the oldest first. There are 21 at most."""
    channels = [channel.public() for channel in all_channels()]
    return http.listed(iter(channels), len(channels))


@router.post("/v1/channels", scope="admin", status=201, errors={409: "There are 20 channels, as many as there may be."})
def create_channel(asked: NewChannel) -> MadeChannelDocument:
    """Create a channel. The answer has the secret that signs a webhook's deliveries; it is shown this once."""
    channel_id, at = retried.object_id(router, "whe_" if asked.type == "webhook" else "channel_"), now()
    refuse_one_more(channel_id)
    secret = new_secret() if asked.type == "webhook" else ""
    Channel(id=channel_id, created_at=at, updated_at=at, secret=secret, **asked.model_dump()).create()
    return _channel(channel_id).made()


@router.get("/v1/channels/<channel_id>", scope="admin", errors=_UNKNOWN)
def retrieve_channel(channel_id: str) -> ChannelDocument:
    """Retrieve a channel, without its secret."""
    return _channel(channel_id).public()


@router.post("/v1/channels/<channel_id>", scope="admin", errors=_UNKNOWN)
def update_channel(channel_id: str, asked: ChannelChanges) -> ChannelDocument:
    """Change a channel's events, name or URL. Of the topic the events alone: who subscribes to it stands in AWS."""
    channel, changes = _channel(channel_id), asked.model_dump(exclude_none=True)
    if channel.type == "email" and changes.keys() - {"event_types"}:
        raise ApiError("The topic has a name and an address already.", code="invalid_value", param=min(changes))
    if channel.type == "email":
        channel.create()
    if changes:
        channel.change({**changes, "updated_at": now()})
    return _channel(channel_id).public()


@router.delete("/v1/channels/<channel_id>", scope="admin", errors={**_UNKNOWN, 409: "It is the stack's topic."})
def delete_channel(channel_id: str) -> Deleted:
    """Delete a channel; what it was not told yet is given up."""
    channel = _channel(channel_id)
    if channel.type == "email":
        raise Conflict("The stack's topic cannot be deleted. Take its subscriptions away, or change its 'event_types'.")
    channel.remove()
    return Deleted(id=channel_id, object="channel.deleted")


@router.post("/v1/channels/<channel_id>/test", scope="admin", status=202, errors=_UNKNOWN)
def test_channel(channel_id: str) -> Delivery:
    """Send a channel an event of the type `channel.test`, by the road of all others.

    Its deliveries say within seconds whether it was taken.
    """
    channel = _channel(channel_id)
    notice = Notice(
        id=new_id("evt_"),
        type=TEST,
        object_id=channel_id,
        at=now(),
        sentence=f"A test of the channel '{channel.name}': it is told of what it asks for.",
        lines=channel.event_types,
        url=page_of(TEST, channel_id),
        command=f"stillhouse channel deliveries {channel_id}",
        document={"type": "test", "id": channel_id},
    )
    record(notice, [channel])
    delivery = Delivery.find(channel_id, notice)
    if delivery is None:
        raise NotFound(Channel.NAME, channel_id, param="channel_id")
    return delivery


@router.get(
    "/v1/channels/<channel_id>/deliveries",
    scope="admin",
    lists=Delivery,
    query=(AFTER, LIMIT),
    errors=_UNKNOWN,
)
def list_deliveries(channel_id: str) -> dict[str, Any]:
    """List what a channel was told in the last 30 days, or was not, the newest first."""
    _channel(channel_id)
    limit = http.limit_of(router)
    found = Delivery.newest(channel_id, after=http.query_of(router, "after"), limit=limit + 1)
    return http.listed(iter(found), limit)


def _channel(channel_id: str) -> Channel:
    found = find_channel(channel_id)
    if found is None:
        raise NotFound(Channel.NAME, channel_id, param="channel_id")
    return found
