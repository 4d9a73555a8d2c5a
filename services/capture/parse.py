"""Split a pushed body into records: one JSON object, an array of them, or NDJSON.

In: the body's bytes, unpacked. Out: a list with one entry a record, in the body's order: its JSON value, or the
ApiError with which it alone is refused (no valid JSON, too large, too deep, an ambiguous key, an integer that would be
rounded). A body that cannot be split raises ApiError, one with too many records TooLarge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson

from capture import fast
from foundation.edge import MAX_BODY
from foundation.errors import ApiError, TooLarge

MOST_LEVELS = 249
"""A record may be nested this deep: orjson writes 254 levels, of which five lie around a record where it is stored."""

MOST_RECORDS = 10_000
"""One call has the time to look up this many ids in the index, and the room to answer them."""

_SHOWN_LETTERS = 64
"""An error shows this much of a key; the key itself may have a megabyte."""
_LONGEST_PATH = 256
_LONGEST_INTEGER = 20


type _Path = tuple[_Path, str | int] | None
"""The place of a value in a document, as its last step (a key or a position) behind the path to its container."""


class _DoubledKey:
    """Stands in a document for an object in which this key stands twice."""

    def __init__(self, key: str) -> None:
        self.key = key


class _LongInteger:
    """Stands in a document for an integer that does not fit into 64 bits."""


def documents(body: bytes) -> list[Any]:
    """The records of a body, each a JSON value or an ApiError."""
    text = body.strip()
    if not text:
        raise ApiError("The body is empty: send one JSON object, an array of them, or NDJSON.", param="body")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if b"\n" not in text or text.startswith(b"["):
            raise ApiError(f"The body is not valid JSON: {error}.", code="invalid_json", param="body") from error
        _refuse_too_many(text.count(b"\n") + 1)
        return [_of_line(line) for line in text.split(b"\n") if line.strip()]
    if not isinstance(document, list):
        return _checked(text, [document], in_array=False)
    _refuse_too_many(len(document))
    return _checked(text, document, in_array=True)


def _refuse_too_many(records: int) -> None:
    if records > MOST_RECORDS:
        raise TooLarge(
            f"The body has {records} records or lines; at most {MOST_RECORDS} are taken at once. Send it in parts.",
            code="too_many_records",
            param="body",
        )


def _of_line(line: bytes) -> Any:
    try:
        return _checked(line, [orjson.loads(line)], in_array=False)[0]
    except orjson.JSONDecodeError as error:
        return ApiError(f"The line is not valid JSON: {error}.", code="invalid_json")


def _checked(text: bytes, records: list[Any], *, in_array: bool) -> list[Any]:
    """The records that orjson read from a text, with an ApiError in the place of each that cannot be kept.

    The text is an array of the records, or, if not `in_array`, the only record.
    """
    if not fast.is_lossless(text, records):
        again = _read_closely(text) if in_array else [_read_closely(text)]
        pairs = zip(records, again, strict=True)
        records = [_too_deep(record) or _misread(closely) or record for record, closely in pairs]
    if len(text) > MAX_BODY:
        records = [_too_large(record) or record for record in records]
    return records


def _too_large(record: Any) -> ApiError | None:
    if isinstance(record, ApiError):
        return record
    size = len(orjson.dumps(record))
    if size <= MAX_BODY:
        return None
    return TooLarge(f"The record has {size} bytes; at most {MAX_BODY} are read back.", code="record_too_large")


def _too_deep(record: Any) -> ApiError | None:
    containers = [record]
    for _ in range(MOST_LEVELS):
        containers = [value for outer in containers for _, value in _members(outer) if isinstance(value, dict | list)]
        if not containers:
            return None
    return ApiError(f"The record is nested deeper than {MOST_LEVELS} levels.", code="nested_too_deeply")


def _members(container: Any) -> Iterator[tuple[str | int, Any]]:
    """What a dict or a list holds, with its keys or positions; nothing for any other value."""
    match container:
        case dict():
            yield from container.items()
        case list():
            yield from enumerate(container)


def _read_closely(text: bytes) -> Any:
    """The text's value, with a marker for each doubled key and each long integer in it."""
    return json.loads(text, object_pairs_hook=_object, parse_int=_integer)


def _object(pairs: list[tuple[str, Any]]) -> Any:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    keys = [key for key, _ in pairs]
    return _DoubledKey(next(key for key in keys if keys.count(key) > 1))


def _integer(digits: str) -> Any:
    # The length is looked at first, because Python refuses to read integers of thousands of digits.
    fits = len(digits) <= _LONGEST_INTEGER and -(1 << 63) <= int(digits) < 1 << 64
    return int(digits) if fits else _LongInteger()


def _misread(document: Any) -> ApiError | None:
    """The refusal of a document with a marker in it: orjson would read something else than what was sent."""
    level: list[tuple[_Path, Any]] = [(None, document)]
    while level:
        for path, value in level:
            match value:
                case _DoubledKey():
                    key = value.key[:_SHOWN_LETTERS]
                    return ApiError(f"The key '{key}' stands twice in one object.", code="duplicate_key", param=key)
                case _LongInteger():
                    place = _written(path)
                    return ApiError(
                        f"Invalid '{place}': an integer of more than 64 bits would be rounded. Send it as text.",
                        code="integer_too_large",
                        param=place or None,
                    )
        level = [((path, step), inner) for path, value in level for step, inner in _members(value)]
    return None


def _written(path: _Path) -> str:
    """The path as an error names it, such as `request.messages[0].role`."""
    steps: list[str] = []
    while path:
        path, step = path
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step[:_SHOWN_LETTERS]}")
    return "".join(reversed(steps)).removeprefix(".")[:_LONGEST_PATH]
