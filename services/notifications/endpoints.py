"""Webhook endpoints: which events go to which URL, and the signature that proves the sender.

An endpoint's secret is `whsec_<base64>`; a message is signed as the Standard Webhooks specification says, with the old
secret too while a rotation lets it live on. Neither is ever shown again, or logged.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import secrets
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, get_args

from standardwebhooks import Webhook

from foundation.document import Document
from foundation.ids import derived_id, now
from foundation.records import Record

type EventType = Literal[
    "eval.run.succeeded",
    "eval.run.failed",
    "eval.run.canceled",
    "distillation.blocked",
    "distillation.failed",
    "distillation.verdict",
    "fine_tuning.job.succeeded",
    "fine_tuning.job.failed",
    "fine_tuning.job.cancelled",
    "fine_tuning.job.waiting_for_model",
    "fine_tuning.job.stalled",
    "model.shutdown_approaching",
    "model.retirement_approaching",
    "spending.cap_reached",
    "alias.promoted",
]
EVENT_TYPES: tuple[str, ...] = get_args(EventType.__value__)
MOST_ENDPOINTS = 20
_PREFIX = "whsec_"
_SECRET_BYTES = 32
_SHOWN = 4
_LONGEST_NAME = 253
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII | re.IGNORECASE)


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


class Endpoint(Record):
    """A URL that events of certain types are sent to. `rotation` is the id of the request that made its secret."""

    KIND: ClassVar[str] = "WEBHOOK"
    NAME: ClassVar[str] = "webhook endpoint"

    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    name: str
    url: str
    event_types: list[str]
    updated_at: int
    secret: str
    old_secret: str | None = None
    old_secret_until: int | None = None
    rotation: str | None = None

    def public(self) -> EndpointDocument:
        return EndpointDocument(**self._shown())

    def with_secret(self) -> SecretEndpointDocument:
        return SecretEndpointDocument(signing_secret=self.secret, **self._shown())

    def _shown(self) -> dict[str, Any]:
        shown = self.model_dump(exclude={"secret", "old_secret", "old_secret_until", "rotation"})
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


def host_of(url: str) -> str:
    """The host that a delivery to this URL connects to: lower-cased, digits and stops of other scripts read as ASCII.

    Raises ValueError with the reason where no delivery could reach it.
    """
    # Imported here: it is what aiohttp parses URLs with, and most functions that import this module never parse one.
    from yarl import URL

    if any(ord(letter) <= ord(" ") or letter == "\x7f" for letter in url):
        raise ValueError("a URL has no spaces and no control letters")
    try:
        parts = URL(url)
    except UnicodeError as error:
        raise ValueError("its host cannot be written as a name of the DNS") from error
    host = parts.raw_host or ""
    if parts.port == 0:
        raise ValueError("its port is none from 1 to 65535")
    if not (_is_address(host) or _is_name(host)):
        raise ValueError("its host is neither a name of the DNS nor an address")
    return host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def _is_name(host: str) -> bool:
    """Whether it can be looked up. A name that ends in a number is an address in another spelling."""
    name = host.removesuffix(".")
    labels = name.split(".")
    return len(name) <= _LONGEST_NAME and all(map(_LABEL.fullmatch, labels)) and not _NUMBER.fullmatch(labels[-1])


def may_be_public(host: str) -> bool:
    """False for an address that is not public; True for a host name, which is checked when it is resolved."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return True
    return address.is_global and not address.is_multicast and not address.is_reserved
