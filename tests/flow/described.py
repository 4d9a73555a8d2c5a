"""What the API's description says of a request: the statuses that its route may answer with."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import orjson

from local.reference.files import DOCUMENT


@cache
def _operations() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Every path as a pattern, those without parameters first, as the routes are matched."""
    paths = orjson.loads(DOCUMENT.read_bytes())["paths"]
    return [(_pattern(path), paths[path]) for path in sorted(paths, key=lambda path: path.count("{"))]


def _pattern(path: str) -> re.Pattern[str]:
    steps = re.split(r"{\w+}", path)
    return re.compile("/v1" + r"[^/]+".join(map(re.escape, steps)))


@cache
def statuses(method: str, path: str) -> frozenset[int] | None:
    """The described statuses of a route; None where the description has no such route."""
    for pattern, operations in _operations():
        if pattern.fullmatch(path) and method.lower() in operations:
            return frozenset(map(int, operations[method.lower()]["responses"]))
    return None
