"""Entry point of the web pages."""

from __future__ import annotations

from typing import Any

from dashboard.serving import serve


def http_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return serve(event, context)
