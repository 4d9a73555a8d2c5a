"""Ids and the clock.

A created object is named `<prefix><ULID>`; an object that follows from a cause is named
`<prefix><base32 of 130 bits of sha256(cause)>`, so that doing the work again names it the same.
"""

from __future__ import annotations

import hashlib
import time

from ulid import ULID

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def now_ms() -> int:
    """Milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


def now() -> int:
    """Seconds since the epoch, UTC, as the API gives them."""
    return now_ms() // 1000


def new_id(prefix: str) -> str:
    return f"{prefix}{ULID()}"


def derived_id(prefix: str, *cause: str | int) -> str:
    """The id of what follows from `cause`: 26 characters, 130 bits."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in cause).encode()).digest()
    bits = int.from_bytes(digest[:17]) >> 6
    return prefix + "".join(_CROCKFORD[(bits >> shift) & 31] for shift in range(125, -5, -5))


def ulid_minute(ulid: str) -> int | None:
    """The minute (since the epoch) in which this ULID was made; None if it is none."""
    try:
        return int(ULID.from_str(ulid).timestamp // 60)
    except ValueError:
        return None
