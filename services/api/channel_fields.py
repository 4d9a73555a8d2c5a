"""What a caller says of a channel: its name, its URL, the events that it is told of."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from foundation.settings import settings
from notifications.event_types import EventType
from notifications.hosts import host_of, may_be_public


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


type ChannelName = Annotated[str, Field(min_length=1, max_length=128)]
type Url = Annotated[str, Field(max_length=2048), AfterValidator(_reachable)]
type Types = Annotated[list[EventType], Field(min_length=1)]
