"""Entry point of the REST resources. Scopes: `admin` for keys and webhook endpoints, else `read` or `write`."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from api.routes import ROUTERS
from foundation import http


def scope_of(method: str, path: str) -> str:
    """What a key must be allowed to."""
    if path.startswith(("/v1/keys", "/v1/webhook_endpoints")):
        return "admin"
    return "read" if method == "GET" else "write"


@cache
def app() -> APIGatewayHttpResolver:
    return http.resolver(scope_of, ROUTERS)


def http_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return http.serve(app(), event, context)
