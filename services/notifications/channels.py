"""Channels: who is told of what, and where. The stack's topic, signed webhooks, Slack and what takes Slack's messages.

A webhook's secret is `whsec_<base64>`; a message is signed as the Standard Webhooks specification says, with the old
secret too while a rotation lets it live on. It is never shown again, nor is the URL of Slack, which is a secret itself.
Neither is logged.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from standardwebhooks import Webhook

from foundation.document import Document
from foundation.ids import derived_id, now
from foundation.records import Record
from foundation.settings import settings
from notifications.event_types import MAILED
from notifications.hosts import host_of

MadeType = Literal["slack", "webhook"]
"""What somebody makes: `slack` for an incoming webhook of Slack, or of what takes the same messages; `webhook` for
signed events. `notifying/channels/` sends by each."""
type ChannelType = Literal["email", MadeType]
"""And the stack's topic, which is there by itself."""
MOST_CHANNELS = 20
"""Webhooks and Slack's together; the topic is one more."""
EMAIL = "channel_email"
"""The id of the channel that is the stack's topic."""
_PREFIX = "whsec_"
_SECRET_BYTES = 32
_SHOWN = 4


class EndpointDocument(Document):
    """A webhook endpoint as it is shown: without its secret."""

    id: str
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    created_at: int
    """Seconds UTC."""
    name: str
    url: str
    """Where events are sent to by POST."""
    event_types: list[str]
    updated_at: int
    """Seconds UTC."""
    signing_secret_hint: str
    """The last characters of the secret, to tell which one it is."""


class SecretEndpointDocument(EndpointDocument):
    """A webhook endpoint with a new secret, which is shown this once."""

    signing_secret: str
    """`whsec_<base64>`: the key of the signatures."""


class ChannelDocument(Document):
    """A channel as it is shown: where it leads to, as far as that is no secret."""

    id: str
    object: Literal["channel"] = "channel"
    created_at: int
    """Seconds UTC; 0 for the topic, which is as old as the stack."""
    type: ChannelType
    name: str
    address: str
    """The host of a URL with its last characters; the topic's ARN."""
    event_types: list[str]
    """What it is told of."""
    updated_at: int
    """Seconds UTC."""


class MadeChannelDocument(ChannelDocument):
    """A channel that was just made."""

    signing_secret: str | None
    """`whsec_<base64>`: the key of a webhook's signatures, which is shown this once; null for other types."""


class Channel(Record):
    """Where events of certain types are sent to. `rotation` is the id of the request that made its secret."""

    KIND: ClassVar[str] = "WEBHOOK"
    NAME: ClassVar[str] = "channel"

    type: ChannelType = "webhook"
    name: str
    url: str
    event_types: list[str]
    updated_at: int
    secret: str = ""
    old_secret: str | None = None
    old_secret_until: int | None = None
    rotation: str | None = None

    def public(self) -> ChannelDocument:
        return ChannelDocument(**self._shown())

    def made(self) -> MadeChannelDocument:
        return MadeChannelDocument(**self._shown(), signing_secret=self.secret or None)

    def _shown(self) -> dict[str, Any]:
        names = ("id", "created_at", "type", "name", "event_types", "updated_at")
        return {**{name: getattr(self, name) for name in names}, "address": self._address()}

    def _address(self) -> str:
        if self.type == "email":
            return self.url
        try:
            host = host_of(self.url)
        except ValueError:  # one of before URLs were looked at
            host = ""
        return f"{host}/…{self.url[-_SHOWN:]}"

    def endpoint(self) -> EndpointDocument:
        """A webhook in OpenAI's shape."""
        return EndpointDocument(**self._as_endpoint())

    def endpoint_with_secret(self) -> SecretEndpointDocument:
        return SecretEndpointDocument(signing_secret=self.secret, **self._as_endpoint())

    def _as_endpoint(self) -> dict[str, Any]:
        shown = self.model_dump(include={"id", "created_at", "name", "url", "event_types", "updated_at"})
        return {**shown, "signing_secret_hint": f"{_PREFIX}…{self.secret[-_SHOWN:]}"}

    def headers(self, event_id: str, body: bytes) -> dict[str, str]:
        """The headers of a delivery of this body now: the event's id, the time, a signature by each valid secret."""
        at = now()
        valid = [self.secret]
        if self.old_secret and (self.old_secret_until or 0) > at:
            valid.append(self.old_secret)
        time, text = datetime.fromtimestamp(at, UTC), body.decode()
        return {
            "content-type": "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": str(at),
            "webhook-signature": " ".join(Webhook(secret).sign(event_id, time, text) for secret in valid),
        }


def new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def event_id(event_type: str, object_id: str) -> str:
    """The id of an event follows from what has happened, so that a receiver recognises a repetition."""
    return derived_id("evt_", event_type, object_id)


def email_channel() -> Channel:
    """The stack's topic, as it was last changed; it is there without anybody making it."""
    found = Channel.find(EMAIL)
    untouched = Channel(id=EMAIL, created_at=0, type="email", name="email", url="", event_types=[*MAILED], updated_at=0)
    return (found or untouched).model_copy(update={"url": settings().TOPIC_ARN})


def find_channel(channel_id: str) -> Channel | None:
    return email_channel() if channel_id == EMAIL else Channel.find(channel_id)


def made_channels() -> Iterator[Channel]:
    """Those that somebody made, the oldest first."""
    return (channel for channel in Channel.every() if channel.id != EMAIL)


def all_channels() -> list[Channel]:
    """The topic, then those that somebody made."""
    return [email_channel(), *made_channels()]


def channels_for(event_type: str) -> list[Channel]:
    """Those that are to be told of events of this type."""
    return [channel for channel in all_channels() if event_type in channel.event_types]
