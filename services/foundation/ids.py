"""Ids and the clock.

The id of an object that a caller creates is `<prefix><ULID>`. The id of an object that follows from a cause is
`<prefix><base32 of 130 bits of sha256(cause)>`, so that work that is done twice gives the same id twice.
"""

from __future__ import annotations

import hashlib
import secrets
import time

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_AS_PYTHON_COUNTS = str.maketrans(_CROCKFORD, "0123456789abcdefghijklmnopqrstuv")
_ULID_LETTERS = 26
_TIME_LETTERS = 10
_RANDOM_BITS = 80
_MS_A_MINUTE = 60_000


def now_ms() -> int:
    """Milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


def now() -> int:
    """Seconds since the epoch, UTC, as the API gives them."""
    return now_ms() // 1000


def new_id(prefix: str) -> str:
    """A ULID behind the prefix: 48 bits of time and 80 random bits, see https://github.com/ulid/spec."""
    return prefix + _text(now_ms() << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS))


def derived_id(prefix: str, *cause: str | int) -> str:
    """The id that follows from `cause`: 26 characters behind the prefix. The parts of the cause are kept apart."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in cause).encode()).digest()
    return prefix + _text(int.from_bytes(digest[:17]) >> 6)


def place_of(derived: str, prefix: str, cause: str, count: int) -> int | None:
    """Invert `derived_id`: the `number` below `count` for which `derived_id(prefix, cause, number)` is this id.

    None if no number gives it. Every number is tried; hashing the common beginning once makes that cheap.
    """
    text = derived.removeprefix(prefix)
    if len(text) != _ULID_LETTERS or not set(_CROCKFORD).issuperset(text):
        return None
    bits = int(text.translate(_AS_PYTHON_COUNTS), 32)
    beginning = hashlib.sha256(f"{cause}\x1f".encode())
    for number in range(count):
        digest = beginning.copy()
        digest.update(b"%d" % number)
        if int.from_bytes(digest.digest()[:17]) >> 6 == bits:
            return number
    return None


def ulid_minute(ulid: str) -> int | None:
    """The minute since the epoch in which this ULID was made; None if the text is no ULID."""
    if len(ulid) != _ULID_LETTERS or not set(_CROCKFORD).issuperset(ulid) or ulid[0] > "7":
        return None
    return int(ulid[:_TIME_LETTERS].translate(_AS_PYTHON_COUNTS), 32) // _MS_A_MINUTE


def _text(bits: int) -> str:
    """130 bits as 26 letters of Crockford's base 32."""
    return "".join([_PAIRS[(bits >> shift) & 1023] for shift in range(120, -10, -10)])
