"""The HTTP answers of the gateway: what a provider said, and the errors that stand in for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from foundation import edge
from foundation.settings import settings
from providers import ProviderAway, ProviderRefused

_TIMED_OUT = 504
_FIRST_ERROR = 400
_BAD_GATEWAY = 502


class Forwarded(NamedTuple):
    """The HTTP answer for the caller."""

    status: int
    body: bytes
    headers: dict[str, str]
    pieces: Iterator[bytes] | None = None
    """The body where it is still being made; `body` is empty then."""


def refused(refusal: ProviderRefused, headers: dict[str, str] | None = None) -> Forwarded:
    """A provider's refusal as it came; if it did not answer in time, an error that names the URL with more time.

    `headers` go with it.
    """
    also = headers or {}
    if not isinstance(refusal, ProviderAway) or refusal.status != _TIMED_OUT:
        return bounded(Forwarded(refusal.status, refusal.body, {**refusal.headers, **also}))
    who = "The model provider" if refusal.provider is None else f"The provider '{refusal.provider}'"
    message = (
        f"{who} did not answer in time. The HTTP API ends calls at 30 seconds; for longer ones "
        "use the gateway's own URL, the stack's output GatewayUrl, which has 15 minutes."
    )
    body = {"error": {"message": message, "type": "server_error", "param": None, "code": "timeout"}}
    return Forwarded(_TIMED_OUT, orjson.dumps(body), {"x-should-retry": "false", **also})


def stored_at(path: str, captured_id: Any) -> str:
    """The URL at which a captured completion or response can be read, by the path of its kind."""
    return f"{settings().API_URL}/{path}/{quote(str(captured_id), safe='')}"


def bounded(forwarded: Forwarded, *, captured_at: str | None = None) -> Forwarded:
    """What is forwarded, or an error where it is larger than Lambda lets through.

    `captured_at` is the URL at which the completion can be read, if it was captured.
    """
    size = edge.serialized(forwarded.body)
    if size <= edge.MAX_ANSWER:
        return forwarded
    remedy = (
        f"It is captured: GET {captured_at} reads it."
        if captured_at
        else "It is not captured: with store=true it could be read later. Or ask for a shorter one."
    )
    message = f"The provider's answer takes {size} bytes, and {edge.MAX_ANSWER} can be given back. {remedy}"
    error = {"message": message, "type": "server_error", "param": None, "code": "answer_too_large"}
    status = forwarded.status if forwarded.status >= _FIRST_ERROR else _BAD_GATEWAY
    return Forwarded(status, orjson.dumps({"error": error}), {"x-should-retry": "false"})
