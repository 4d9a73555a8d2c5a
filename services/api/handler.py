"""Entry point of the REST resources. Reading asks for the scope `read`, everything else for `write`."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from api import artifacts, completions, distillations, evals, models, runs
from foundation import http

_ROUTERS = [module.router for module in (completions, evals, runs, distillations, artifacts, models)]


@cache
def app() -> APIGatewayHttpResolver:
    return http.resolver(lambda method, path: "read" if method == "GET" else "write", _ROUTERS)  # noqa: ARG005


def http_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return http.serve(app(), event, context)
