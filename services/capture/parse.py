"""The records in a pushed body: one JSON object, an array of them, or NDJSON.

Out: a document per record; one that is no sound JSON, or too large to be read back, stays in its place as the refusal
it gets. A body that cannot be read at all raises ApiError, one with too many records TooLarge.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import orjson

from foundation.errors import ApiError, TooLarge
from foundation.http import MAX_BODY

MOST_LEVELS = 249
"""Deeper JSON than this orjson does not write, with what will stand around it: it ends at 254."""

MOST_RECORDS = 10_000
"""Each is asked for in the index, and answered, within the time and the size of one call."""


class _Doubled:
    """Stands for an object in which a key stands twice."""

    def __init__(self, key: str) -> None:
        self.key = key


def documents(body: bytes) -> list[Any]:
    """The records of a body, each a document or an ApiError."""
    text = body.strip()
    if not text:
        raise ApiError("The body is empty: send one JSON object, an array of them, or NDJSON.", param="body")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if b"\n" not in text or text.startswith(b"["):
            raise ApiError(f"The body is not valid JSON: {error}.", code="invalid_json", param="body") from error
        _count(text.count(b"\n") + 1)
        return [_line(line) for line in text.split(b"\n") if line.strip()]
    found = document if isinstance(document, list) else [document]
    _count(len(found))
    return _sound(text, found)


def _count(records: int) -> None:
    if records > MOST_RECORDS:
        raise TooLarge(
            f"The body has {records} records or lines; at most {MOST_RECORDS} are taken at once. Send it in parts.",
            code="too_many_records",
            param="body",
        )


def _line(line: bytes) -> Any:
    try:
        return _sound(line, [orjson.loads(line)])[0]
    except orjson.JSONDecodeError as error:
        return ApiError(f"The line is not valid JSON: {error}.", code="invalid_json")


def _sound(text: bytes, found: list[Any]) -> list[Any]:
    """The records that were found in a text, with a refusal in the place of those that are flawed."""
    try:
        flaws: list[ApiError | None] = [None] * len(found)
        flawed = _may_double(text, found)
    except orjson.JSONEncodeError:
        flaws = [_too_deep(one) for one in found]
        flawed = True
    if flawed:
        again = json.loads(text, object_pairs_hook=_object)
        doubled = [_doubled(one) for one in (again if isinstance(again, list) else [again])]
        flaws = [first or second for first, second in zip(flaws, doubled, strict=True)]
    if len(text) > MAX_BODY:
        flaws = [flaw or _too_large(one) for one, flaw in zip(found, flaws, strict=True)]
    return [flaw or one for one, flaw in zip(found, flaws, strict=True)]


def _too_large(document: Any) -> ApiError | None:
    size = len(orjson.dumps(document))
    if size <= MAX_BODY:
        return None
    return TooLarge(f"The record has {size} bytes; at most {MAX_BODY} are read back.", code="record_too_large")


def _too_deep(document: Any) -> ApiError | None:
    level = [document]
    for _ in range(MOST_LEVELS):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
            if isinstance(inner, dict | list)
        ]
        if not level:
            return None
    return ApiError(f"The record is nested deeper than {MOST_LEVELS} levels.", code="nested_too_deeply")


def _may_double(text: bytes, found: list[Any]) -> bool:
    """Whether a key may stand twice in one object, of which only the last was found.

    Its quotes are then missing in what the document is written as. A quote written as an escape could hide that.
    """
    return text.count(b'"') != orjson.dumps(_deeper(found)).count(b'"') or b"\\u0022" in text


def _deeper(found: list[Any]) -> list[Any]:
    """Some levels more than a record has when it is written: what orjson writes here, it writes there."""
    return [[[[found]]]]


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    keys = [key for key, _ in pairs]
    return _Doubled(next(key for key in keys if keys.count(key) > 1))


def _doubled(document: Any) -> ApiError | None:
    level: Iterable[Any] = [document]
    while level:
        following: list[Any] = []
        for one in level:
            if isinstance(one, _Doubled):
                return ApiError(
                    f"The key '{one.key[:64]}' stands twice in one object.", code="duplicate_key", param=one.key[:64]
                )
            following += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        level = following
    return None
