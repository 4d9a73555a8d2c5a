"""Entry point of what models answer, through the HTTP API (30 s) or the function URL (15 minutes)."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from foundation import http
from foundation.routes import Routes
from gateway import models, passing
from gateway.answers import answered
from gateway.documents import ERRORS
from gateway.forward import forward
from gateway.responses import route, stored

router = Routes("Chat completions")
ROUTES = [router, route.router, stored.router, models.router, passing.router]


@router.post(
    "/v1/chat/completions",
    scope="infer",
    body="gateway.documents.ChatRequest",
    answer="openai.types.chat.ChatCompletion",
    errors=ERRORS,
)
def chat_completion() -> Response[Any]:
    """Have a model answer, and capture the completion where `store` is true.

    The request goes to the model's provider and its answer comes back unchanged, refusals too. The headers
    `X-Stillhouse-Store`, `X-Stillhouse-Metadata` and `X-Stillhouse-Fallback-Model` say what the body cannot. With
    `stream` the answer is server-sent events.
    """
    return answered(router, forward)


@cache
def app() -> APIGatewayHttpResolver:
    return http.resolver(ROUTES)


def http_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return http.serve(app(), event, context)
