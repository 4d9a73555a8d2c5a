"""Split a pushed body into records: one JSON object, an array of them, or NDJSON.

In: the body's bytes, unpacked. Out: a list with one entry a record, in the body's order: its JSON value, or the
ApiError with which it alone is refused (no valid JSON, too large, too deep, an ambiguous key, a value that would be
changed, such as NaN). A body that cannot be split raises ApiError, one with too many records TooLarge.
"""

from __future__ import annotations

from typing import Any

import orjson

from capture import fast
from foundation import foreign_json
from foundation.edge import MAX_BODY, SMALLER
from foundation.errors import ApiError, TooLarge
from foundation.foreign_json import Flaw

MOST_LEVELS = 249
"""A record may be nested this deep: orjson writes 254 levels, of which five lie around a record where it is stored."""

MOST_RECORDS = 10_000
"""One call has the time to look up this many ids in the index, and the room to answer them."""

_SHOWN_LETTERS = 64
"""An error shows this much of a key; the key itself may have a megabyte."""
_LONGEST_PATH = 256


type _Path = tuple[_Path, str | int] | None
"""The place of a value in a document, as its last step (a key or a position) behind the path to its container."""


def documents(body: bytes) -> list[Any]:
    """The records of a body, each a JSON value or an ApiError."""
    text = body.strip()
    if not text:
        raise ApiError("The body is empty: send one JSON object, an array of them, or NDJSON.", param="body")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return _looked_at(text, error)
    if not isinstance(document, list):
        return _checked(text, [document], in_array=False)
    _refuse_too_many(len(document))
    return _checked(text, document, in_array=True)


def _looked_at(text: bytes, error: orjson.JSONDecodeError) -> list[Any]:
    """The records of a body that is not one document to orjson: NDJSON, or JSON with values that orjson cannot read."""
    if b"\n" in text and not text.startswith(b"["):
        _refuse_too_many(text.count(b"\n") + 1)
        return [_of_line(line) for line in text.split(b"\n") if line.strip()]
    try:
        document = foreign_json.read_closely(text)
    except foreign_json.NotJSON:
        raise ApiError(f"The body is not valid JSON: {error}.", code="invalid_json", param="body") from error
    records = document if isinstance(document, list) else [document]
    _refuse_too_many(len(records))
    return [_kept(record) for record in records]


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
        try:
            return _kept(foreign_json.read_closely(line))
        except foreign_json.NotJSON:
            return ApiError(f"The line is not valid JSON: {error}.", code="invalid_json")


def _kept(record: Any) -> Any:
    """A record that was read closely, or the ApiError with which it is refused."""
    return _too_deep(record) or _misread(record) or _too_large(record) or record


def _checked(text: bytes, records: list[Any], *, in_array: bool) -> list[Any]:
    """The records that orjson read from a text, with an ApiError in the place of each that cannot be kept.

    The text is an array of the records, or, if not `in_array`, the only record.
    """
    if not fast.is_lossless(text, records):
        closely = foreign_json.read_closely(text)
        again = closely if in_array else [closely]
        pairs = zip(records, again, strict=True)
        records = [_too_deep(record) or _misread(read) or record for record, read in pairs]
    if len(text) > MAX_BODY:
        records = [_too_large(record) or record for record in records]
    return records


def _too_large(record: Any) -> ApiError | None:
    if isinstance(record, ApiError):
        return record
    size = len(orjson.dumps(record))
    if size <= MAX_BODY:
        return None
    return TooLarge(f"The record has {size} bytes; at most {MAX_BODY} are kept. {SMALLER}.", code="record_too_large")


def _too_deep(record: Any) -> ApiError | None:
    if not foreign_json.is_deeper(record, MOST_LEVELS):
        return None
    return ApiError(f"The record is nested deeper than {MOST_LEVELS} levels.", code="nested_too_deeply")


def _misread(document: Any) -> ApiError | None:
    """The refusal of a document with a flaw in it: what would be kept is something else than what was sent."""
    level: list[tuple[_Path, Any]] = [(None, document)]
    while level:
        for path, value in level:
            if refusal := _refusal(value, path):
                return refusal
        level = [((path, step), inner) for path, value in level for step, inner in foreign_json.members(value)]
    return None


def _refusal(value: Any, path: _Path) -> ApiError | None:
    """The refusal of one value, not of what it holds."""
    code = "invalid_json"
    match value:
        case Flaw(kind="duplicate_key", key=key):
            shown = foreign_json.as_unicode(key[:_SHOWN_LETTERS])
            return ApiError(f"The key '{shown}' stands twice in one object.", code="duplicate_key", param=shown)
        case Flaw(kind="integer_too_large"):
            code, why = "integer_too_large", "an integer of more than 64 bits would be rounded. Send it as text"
        case Flaw():
            why = "JSON has no NaN and no infinity. Send null"
        case str() if not foreign_json.is_unicode(value):
            why = "it is no Unicode: half of a surrogate pair, or a byte that is not UTF-8, stands in it. Send U+FFFD"
        case dict() if not all(map(foreign_json.is_unicode, value)):
            why = "a key in it is no Unicode"
        case _:
            return None
    place = foreign_json.as_unicode(_written(path))
    return ApiError(f"Invalid '{place}': {why}.", code=code, param=place or None)


def _written(path: _Path) -> str:
    """The path as an error names it, such as `request.messages[0].role`."""
    steps: list[str] = []
    while path:
        path, step = path
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step[:_SHOWN_LETTERS]}")
    return "".join(reversed(steps)).removeprefix(".")[:_LONGEST_PATH]
