"""The records in a pushed body: one JSON object, an array of them, or NDJSON.

Out: a document per record; one that is no sound JSON, or too large to be read back, stays in its place as the refusal
it gets. A body that cannot be read at all raises ApiError, one with too many records TooLarge.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from foundation.edge import MAX_BODY
from foundation.errors import ApiError, TooLarge

MOST_LEVELS = 249
"""Deeper JSON than this orjson does not write, with what will stand around it: it ends at 254."""

MOST_RECORDS = 10_000
"""Each is asked for in the index, and answered, within the time and the size of one call."""


_SHOWN = 64
"""Of a key's letters in an error: a key may have a megabyte."""
_LONGEST_WAY = 256
_LONGEST_INTEGER = 20
_DIGITS = bytes(ord("0") if chr(byte).isdigit() else ord(" ") for byte in range(256))
_SHORTEST_BEYOND = b"0" * 19


type _Way = tuple[_Way, str | int] | None
"""The last step to a place in a document, behind the way to where it starts."""


class _Doubled:
    """Stands for an object in which a key stands twice."""

    def __init__(self, key: str) -> None:
        self.key = key


class _Beyond:
    """Stands for an integer that 64 bits do not hold."""


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
    if not isinstance(document, list):
        return _sound(text, [document], inside=False)
    _count(len(document))
    return _sound(text, document, inside=True)


def _count(records: int) -> None:
    if records > MOST_RECORDS:
        raise TooLarge(
            f"The body has {records} records or lines; at most {MOST_RECORDS} are taken at once. Send it in parts.",
            code="too_many_records",
            param="body",
        )


def _line(line: bytes) -> Any:
    try:
        return _sound(line, [orjson.loads(line)], inside=False)[0]
    except orjson.JSONDecodeError as error:
        return ApiError(f"The line is not valid JSON: {error}.", code="invalid_json")


def _sound(text: bytes, found: list[Any], *, inside: bool) -> list[Any]:
    """The records that were found in a text, with a refusal in the place of those that are flawed.

    They stand `inside` the text's own array, or the text is the only one.
    """
    try:
        written = orjson.dumps(_deeper(found))
    except orjson.JSONEncodeError:
        flaws = [_too_deep(one) for one in found]
    else:
        if _is_same(text, written) or not _may_differ(text, written):
            return found if len(text) <= MAX_BODY else [_too_large(one) or one for one in found]
        flaws = [None] * len(found)
    again = json.loads(text, object_pairs_hook=_object, parse_int=_integer)
    again = again if inside else [again]
    flaws = [first or _changed(second) for first, second in zip(flaws, again, strict=True)]
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


def _deeper(found: list[Any]) -> list[Any]:
    """Some levels more than a record has when it is written: what orjson writes here, it writes there."""
    return [[[[found]]]]


def _is_same(text: bytes, written: bytes) -> bool:
    """Whether a text is written as it came, but for the levels around it."""
    around, odd = divmod(len(written) - len(text), 2)
    return not odd and written.startswith(text, around)


def _may_differ(text: bytes, written: bytes) -> bool:
    """Whether what was found may be less than what the text says, though only some of its spelling need differ.

    Of a key that stands twice in one object only the last is found: quotes are then missing in what is written. A quote
    written as an escape could hide that. An integer beyond 64 bits is found as a fraction; it has many digits.
    """
    return text.count(b'"') != written.count(b'"') or b"\\u0022" in text or _SHORTEST_BEYOND in text.translate(_DIGITS)


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    keys = [key for key, _ in pairs]
    return _Doubled(next(key for key in keys if keys.count(key) > 1))


def _integer(digits: str) -> Any:
    # Python reads no more digits than it is told to.
    return int(digits) if len(digits) <= _LONGEST_INTEGER and -(1 << 63) <= int(digits) < 1 << 64 else _Beyond()


def _changed(document: Any) -> ApiError | None:
    """The refusal of a document in which something stands that orjson reads as something else."""
    level: list[tuple[_Way, Any]] = [(None, document)]
    while level:
        following: list[tuple[_Way, Any]] = []
        for way, one in level:
            match one:
                case dict():
                    following += [((way, name), inner) for name, inner in one.items()]
                case list():
                    following += [((way, place), inner) for place, inner in enumerate(one)]
                case _Doubled():
                    key = one.key[:_SHOWN]
                    return ApiError(f"The key '{key}' stands twice in one object.", code="duplicate_key", param=key)
                case _Beyond():
                    where = _where(way)
                    return ApiError(
                        f"Invalid '{where}': an integer of more than 64 bits would be rounded. Send it as text.",
                        code="integer_too_large",
                        param=where or None,
                    )
        level = following
    return None


def _where(way: _Way) -> str:
    steps: list[str] = []
    while way:
        way, step = way
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step[:_SHOWN]}")
    return "".join(reversed(steps)).removeprefix(".")[:_LONGEST_WAY]
