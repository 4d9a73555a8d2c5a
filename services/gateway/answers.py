"""How a call that a model answers is read, how long its answer may take, and how the function gives it."""

from __future__ import annotations

from typing import Any, Protocol

from aws_lambda_powertools.event_handler import Response

from foundation import edge, http
from foundation.routes import Routes
from gateway.forwarded import Forwarded
from gateway.policy import Policy, policy_of

_HTTP_API_S = 28.0


class Forward(Protocol):
    """Has a model answer a request within `deadline_s` seconds, and captures the answer if its policy says so."""

    def __call__(self, request: dict[str, Any], policy: Policy, *, deadline_s: float) -> Forwarded: ...


def answered(routes: Routes, forward: Forward, *, store: bool = False) -> Response[Any]:
    """The answer to the call that these routes have; it is captured by default where `store` is true."""
    request = http.json_of(routes)
    policy = policy_of(request, routes.current_event.headers, routes.context["key"], store=store)
    return response(forward(request, policy, deadline_s=seconds_left(routes)))


def seconds_left(routes: Routes) -> float:
    """How long the answer may take: behind the HTTP API 28 seconds, at the function's own URL what Lambda gives."""
    left_s: float = routes.lambda_context.get_remaining_time_in_millis() / 1000
    behind_api = ".lambda-url." not in routes.current_event.request_context.domain_name
    return min(left_s, _HTTP_API_S) if behind_api else left_s


def response(forwarded: Forwarded) -> Response[Any]:
    """The answer as the function gives it; bytes that are no text are base64 in it."""
    headers = dict(forwarded.headers)
    kind = headers.pop("content-type", edge.JSON)
    text = edge.text_of(forwarded.body)
    return Response(forwarded.status, kind, forwarded.body if text is None else text, headers=headers)
