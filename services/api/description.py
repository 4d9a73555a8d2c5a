"""The description of the API: `GET /v1/openapi.json`, without a key.

The document is written by `make reference` and deployed beside this module. The URL of this stack's API is put in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from foundation.routes import Routes
from foundation.settings import settings

router = Routes("Description")
_DOCUMENT = Path(__file__).with_name("openapi.json")


@router.get("/v1/openapi.json", scope=None, answer=dict[str, Any])
def describe() -> dict[str, Any]:
    """Describe every route as an OpenAPI 3.1 document. No key is needed."""
    document: dict[str, Any] = orjson.loads(_DOCUMENT.read_bytes())
    return {**document, "servers": [{"url": settings().API_URL}]}
