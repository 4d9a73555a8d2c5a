"""Attempts of one POST create one object, in whatever order they arrive.

The SDK retries without an idempotency key, and a retry may overtake its first attempt. The attempt that comes first
with its key, path and body names the object's id in the table, before there is an object. An attempt that finds a row
takes the id where it belongs to the same POST:

- with an `Idempotency-Key`: within a day.
- a retry (`x-stainless-retry-count` of 1 and more): within ten minutes.
- a first attempt: where a retry made the row, and the API took this attempt in before that retry. One that it took in
  later is a new POST with the same body, and the row becomes that of the new one.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from foundation import http, table
from foundation.errors import Conflict, RetryLater
from foundation.ids import new_id

_SK = "POST"
_LONGEST_COUNT = 3
_WINDOW_MS = 600_000
_KEY_WINDOW_MS = 24 * 3_600_000
_MOST_ROUNDS = 8


class _Attempt(NamedTuple):
    """One request of a POST that may have others. `at` is when the API took it in, in milliseconds."""

    pk: str
    key: str | None
    content: str
    retry: bool
    at: int


def object_id(app: Any, prefix: str, *, body: bytes | None = None) -> str:
    """The id that this request creates its object under. Raises Conflict where a key comes with another body.

    Ask for it before what takes long, so that a retry that comes meanwhile finds it. `body` is what tells bodies apart
    where their bytes do not.
    """
    attempt = _attempt(app, http.raw_body(app) if body is None else body)
    row: table.Row = {
        "pk": attempt.pk,
        "sk": _SK,
        "id": new_id(prefix),
        "body": attempt.content,
        "retry": attempt.retry,
        "at": attempt.at,
        "expires": (attempt.at + _KEY_WINDOW_MS) // 1000,
    }
    for _ in range(_MOST_ROUNDS):
        if table.put_new(row):
            return str(row["id"])
        recorded = table.get(attempt.pk, _SK)
        if recorded is None:
            continue  # It has expired meanwhile.
        if _is_same_post(attempt, recorded):
            _refuse_other_body(attempt, recorded)
            return str(recorded["id"])
        changes = {name: value for name, value in row.items() if name not in {"pk", "sk"}}
        if table.update(attempt.pk, _SK, changes, where={"id": recorded["id"]}):
            return str(row["id"])
    raise RetryLater("many requests with one body arrive at once")


def _attempt(app: Any, body: bytes) -> _Attempt:
    event = app.current_event
    key = event.headers.get("idempotency-key")
    content = hashlib.sha256(body).hexdigest()
    cause = f"{app.context['key'].id}\n{event.path}\n{key or content}"
    return _Attempt(
        pk=f"RETRY#{hashlib.sha256(cause.encode()).hexdigest()}",
        key=key,
        content=content,
        retry=_retries(event.headers) >= 1,
        at=event["requestContext"]["timeEpoch"],
    )


def _is_same_post(attempt: _Attempt, recorded: table.Row) -> bool:
    """Whether the row is that of another attempt of the same POST."""
    if attempt.key:
        return bool(recorded["at"] >= attempt.at - _KEY_WINDOW_MS)
    if attempt.retry:
        return bool(recorded["at"] >= attempt.at - _WINDOW_MS)
    return bool(recorded["retry"] and attempt.at < recorded["at"])


def _refuse_other_body(attempt: _Attempt, recorded: table.Row) -> None:
    if recorded["body"] != attempt.content:
        raise Conflict(
            "This Idempotency-Key was used with another body. Send a new one with this body.",
            code="idempotency_key_reused",
            param="Idempotency-Key",
        )


def _retries(headers: Any) -> int:
    text = headers.get("x-stainless-retry-count") or "0"
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_COUNT else 0
