"""How long an answer of the gateway may take, and how its function gives it."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from foundation import edge
from foundation.routes import Routes
from gateway.forwarded import Forwarded

_HTTP_API_S = 28.0


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
