"""JSON that other systems wrote, such as a provider's answer, a line of a batch's output, or a pushed record.

orjson reads and writes only what RFC 8259 allows and its own types hold. Others write more, and their readers take it:
infinities and NaN, half of a surrogate pair where a text was cut, integers beyond 64 bits, bytes that are not UTF-8.
`read` gives the nearest value that orjson can write again. `read_closely` leaves a `Flaw` in the place of each such
value, for a caller that refuses them and names the place.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import orjson

MOST_LEVELS = 200
"""`read` takes a value nested this deep: orjson writes 254 levels, and what is stored lies within others."""
_LONGEST_INTEGER = 20
_TOO_DEEP = f"it is nested deeper than {MOST_LEVELS} levels"


class Flaw(NamedTuple):
    """Stands for a value that orjson cannot write. `mended` is the nearest value that it can; `key` a doubled key."""

    kind: Literal["duplicate_key", "integer_too_large", "not_finite"]
    mended: Any
    key: str = ""


class NotJSON(ValueError):
    """A text is no JSON to any reader, or is nested too deeply to be written again."""


def read(text: bytes) -> Any:
    """The value of a text. Raises NotJSON.

    A number that is not finite becomes null, half of a surrogate pair and a byte that is not UTF-8 become U+FFFD, an
    integer beyond 64 bits becomes a fraction, and of a key that stands twice the last value is kept.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = _mended(read_closely(text.removeprefix(b"\xef\xbb\xbf")), MOST_LEVELS)
    if text.count(b"[") + text.count(b"{") > MOST_LEVELS and is_deeper(value, MOST_LEVELS):
        raise NotJSON(_TOO_DEEP)
    return value


def read_closely(text: bytes) -> Any:
    """The value of a text, as Python's own reader has it, with a Flaw in the place of what orjson cannot write.

    A text that is not Unicode is left as it is in the value. Raises NotJSON.
    """
    try:
        return json.loads(
            text.decode("utf-8", "surrogateescape"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_fraction,
            parse_constant=lambda _: Flaw("not_finite", None),
        )
    except (ValueError, RecursionError) as error:
        # The error of a reader quotes nothing of the text but its place.
        raise NotJSON(str(error)) from error


def is_unicode(text: str) -> bool:
    """Whether a text has no halves of surrogate pairs, which UTF-8 cannot encode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_unicode(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair; two halves that belong together are joined."""
    if is_unicode(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested deeper than so many levels."""
    containers = [value]
    for _ in range(levels):
        containers = [inner for outer in containers for _, inner in members(outer) if isinstance(inner, dict | list)]
        if not containers:
            return False
    return True


def members(container: Any) -> Iterator[tuple[str | int, Any]]:
    """What an object or a list holds, with its keys or positions; nothing for any other value."""
    match container:
        case dict():
            yield from container.items()
        case list():
            yield from enumerate(container)


def _object(pairs: list[tuple[str, Any]]) -> Any:
    object_ = dict(pairs)
    if len(object_) == len(pairs):
        return object_
    times = Counter(key for key, _ in pairs)
    return Flaw("duplicate_key", object_, next(key for key in object_ if times[key] > 1))


def _integer(digits: str) -> Any:
    # The length is looked at first, because Python refuses to read integers of thousands of digits.
    if len(digits) <= _LONGEST_INTEGER and -(1 << 63) <= int(digits) < 1 << 64:
        return int(digits)
    fraction = float(digits)
    return Flaw("integer_too_large", fraction if math.isfinite(fraction) else None)


def _fraction(text: str) -> Any:
    fraction = float(text)
    return fraction if math.isfinite(fraction) else Flaw("not_finite", None)


def _mended(value: Any, levels: int) -> Any:
    if levels < 0:
        raise NotJSON(_TOO_DEEP)
    match value:
        case Flaw():
            return _mended(value.mended, levels)
        case str():
            return as_unicode(value)
        case dict():
            return {as_unicode(key): _mended(inner, levels - 1) for key, inner in value.items()}
        case list():
            return [_mended(inner, levels - 1) for inner in value]
        case _:
            return value
