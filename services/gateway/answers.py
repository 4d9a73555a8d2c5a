"""How a call that a model answers is read, how long its answer may take, and how the function gives it."""

from __future__ import annotations

from typing import Any, Protocol

from aws_lambda_powertools.event_handler import Response

from foundation import edge, http
from foundation.routes import Routes
from foundation.streaming.invocation import Invocation, is_by_own_url
from gateway.forwarded import Forwarded
from gateway.policy import Policy, policy_of

_HTTP_API_S = 28.0


class Forward(Protocol):
    """Has a model answer a request within `deadline_s` seconds, and captures the answer if its policy says so.

    Where `live` is true, a streamed answer may be given on while it is made.
    """

    def __call__(self, request: dict[str, Any], policy: Policy, *, deadline_s: float, live: bool) -> Forwarded: ...


def answered(routes: Routes, forward: Forward, *, store: bool = False) -> Response[Any]:
    """The answer to the call that these routes have; it is captured by default where `store` is true."""
    request = http.json_of(routes)
    policy = policy_of(request, routes.current_event.headers, routes.context["key"], store=store)
    context = routes.lambda_context
    # Only the runtime of our own streams, and it only to who asks by the function's own URL.
    live = isinstance(context, Invocation) and context.streams
    forwarded = forward(request, policy, deadline_s=seconds_left(routes), live=live)
    if forwarded.pieces is not None:
        context.follow(forwarded.pieces)
    return response(forwarded)


def seconds_left(routes: Routes) -> float:
    """How long the answer may take: behind the HTTP API 28 seconds, at the function's own URL what Lambda gives."""
    left_s: float = routes.lambda_context.get_remaining_time_in_millis() / 1000
    return left_s if is_by_own_url(routes.current_event.raw_event) else min(left_s, _HTTP_API_S)


def response(forwarded: Forwarded) -> Response[Any]:
    """The answer as the function gives it; bytes that are no text are base64 in it."""
    headers = dict(forwarded.headers)
    kind = headers.pop("content-type", edge.JSON)
    text = edge.text_of(forwarded.body)
    return Response(forwarded.status, kind, forwarded.body if text is None else text, headers=headers)
