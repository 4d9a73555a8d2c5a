"""Read lists of OpenAI's API page by page, as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from openai import OpenAI

_PAGE = 100


def pages(client: OpenAI, path: str, **query: Any) -> Iterator[dict[str, Any]]:
    """Yield every element of a list, oldest first. Raises the SDK's errors."""
    asked = {"limit": _PAGE, "order": "asc", **query}
    while True:
        page = cast("dict[str, Any]", client.get(path, cast_to=object, options={"params": asked}))
        data = page.get("data") or []
        yield from data
        if not page.get("has_more") or not data:
            return
        asked["after"] = data[-1]["id"]
