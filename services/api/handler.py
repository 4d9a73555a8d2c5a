"""Entry point of the REST resources: the first step of the path says which modules serve the request."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from api.routes import MODULES, routes_at
from foundation import http


@cache
def app(step: str) -> APIGatewayHttpResolver:
    return http.resolver(routes_at(step))


def http_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    step = event["rawPath"].removeprefix("/v1/").partition("/")[0]
    return http.serve(app(step if step in MODULES else ""), event, context)
