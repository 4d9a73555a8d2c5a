"""Forward one chat completion and capture it when asked to.

In: a chat completion's request. Out: the provider's answer as it came, as events where `stream` asks for them;
its refusals with their status, body and `retry-after`. A capture that fails is logged and counted, and never
fails the completion.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, ValidationError

from foundation import models
from foundation.completions import Completion, Metadata
from foundation.consumer import logger
from foundation.errors import ApiError
from foundation.handover import hand_over
from foundation.http import field_error
from foundation.ids import new_id, now
from foundation.models import Answer, Provider, ProviderAway, ProviderRefused
from gateway import stream

_OURS = frozenset({"store", "metadata", "stream", "stream_options"})
_MARGIN_S = 2.0
_TIMED_OUT = 504


class _Tags(BaseModel):
    metadata: Metadata | None = None


class Forwarded(NamedTuple):
    """What the caller gets."""

    status: int
    body: bytes
    headers: dict[str, str]


def forward(request: dict[str, Any], *, deadline_s: float, provider: Provider | None = None) -> Forwarded:
    """Ask the provider within the deadline; capture the answer if the request says `store`."""
    _check(request)
    upstream = {name: value for name, value in request.items() if name not in _OURS}
    try:
        answer = models.run(
            (provider or models.default_provider()).complete(upstream, deadline_s=deadline_s - _MARGIN_S)
        )
    except ProviderAway as away:
        return _away(away)
    except ProviderRefused as refusal:
        return Forwarded(refusal.status, refusal.body, refusal.headers)
    body = {**answer.body, "metadata": request["metadata"]} if request.get("metadata") else answer.body
    if request.get("store"):
        _capture(request, answer)
    return _answered(request, body)


def _answered(request: dict[str, Any], body: dict[str, Any]) -> Forwarded:
    if not request.get("stream"):
        return Forwarded(200, orjson.dumps(body), {})
    include_usage = bool((request.get("stream_options") or {}).get("include_usage"))
    return Forwarded(200, stream.events(body, include_usage=include_usage), {"content-type": "text/event-stream"})


def _check(request: dict[str, Any]) -> None:
    for name, kind in (("model", str), ("messages", list)):
        if not isinstance(request.get(name), kind) or not request[name]:
            raise ApiError(f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name)
    try:
        _Tags.model_validate(request)
    except ValidationError as error:
        raise field_error(error, request) from error


def _away(away: ProviderAway) -> Forwarded:
    if away.status != _TIMED_OUT:
        return Forwarded(away.status, away.body, away.headers)
    message = (
        "The model provider did not answer in time. The HTTP API ends calls at 30 seconds; for longer ones "
        "use the gateway's own URL, the stack's output GatewayUrl, which has 15 minutes."
    )
    body = {"error": {"message": message, "type": "server_error", "param": None, "code": "timeout"}}
    return Forwarded(_TIMED_OUT, orjson.dumps(body), {"x-should-retry": "false"})


def _capture(request: dict[str, Any], answer: Answer) -> None:
    try:
        completion = Completion.of(
            {"request": request, "response": answer.body, "latency_ms": answer.latency_ms}, at=now()
        )
        hand_over(new_id("capture_"), [completion])
    except Exception:  # noqa: BLE001 - whatever breaks here, the caller has its completion
        logger().exception("capture failed", extra={"metric": "CaptureFailed"})
