"""Retried POSTs create one object.

The SDK retries without an idempotency key. The first request with this key, path and body names the object's id in the
table; a repetition (`Idempotency-Key`, or `x-stainless-retry-count` of 1 and more within ten minutes) is given it back.
"""

from __future__ import annotations

import hashlib
from typing import Any

from foundation import http, table
from foundation.errors import Conflict
from foundation.ids import new_id, now

_WINDOW_S = 600
_LONGEST_COUNT = 3
_KEY_WINDOW_S = 24 * 3600


def object_id(app: Any, prefix: str, *, body: bytes | None = None) -> str:
    """The id that this request creates its object under. Raises Conflict where a key comes with another body.

    `body` is what tells bodies apart where their bytes do not.
    """
    headers = app.current_event.headers
    key = headers.get("idempotency-key")
    caller = app.context["key"].id
    content = hashlib.sha256(http.raw_body(app) if body is None else body).hexdigest()
    cause = key or content
    pk = hashlib.sha256(f"{caller}\n{app.current_event.path}\n{cause}".encode()).hexdigest()
    repeated = key is not None or _retries(headers) >= 1
    row: table.Row = {
        "pk": f"RETRY#{pk}",
        "sk": "OBJECT",
        "id": new_id(prefix),
        "body": content,
        "at": now(),
        "expires": now() + _KEY_WINDOW_S,
    }
    if not repeated:
        table.put(row)
        return str(row["id"])
    window = _KEY_WINDOW_S if key else _WINDOW_S
    if not table.put_new(row):
        first = table.get(row["pk"], row["sk"]) or row
        if first["at"] >= now() - window:
            if first["body"] != content:
                raise Conflict(
                    "This Idempotency-Key was used with another body.",
                    code="idempotency_key_reused",
                    param="Idempotency-Key",
                )
            return str(first["id"])
        table.put(row)
    return str(row["id"])


def _retries(headers: Any) -> int:
    text = headers.get("x-stainless-retry-count") or "0"
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_COUNT else 0
