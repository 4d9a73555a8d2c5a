"""Whether orjson read everything that a JSON text says.

orjson silently drops two things: of a key that stands twice in one object it keeps only the last value, and an integer
that does not fit into 64 bits becomes a float. Written again, the records then differ from the text.
"""

from __future__ import annotations

from typing import Any

import orjson

_DIGITS_TO_ZERO = bytes(ord("0") if chr(byte).isdigit() else ord(" ") for byte in range(256))
# 2**63 is the smallest integer beyond 64 bits, and has 19 digits.
_DIGITS_BEYOND_64_BITS = b"0" * 19


def is_lossless(text: bytes, records: list[Any]) -> bool:
    """Whether `records`, which orjson read from `text`, hold all that the text says.

    True is certain, and says too that each record can be written again within four further levels of lists or objects.
    False only means that the text must be looked at closely: it may be spelled unusually.
    """
    try:
        written = orjson.dumps([[[[records]]]])
    except orjson.JSONEncodeError:
        return False  # It is nested too deeply.
    return _differ_in_brackets_only(text, written) or not (_lacks_a_key(text, written) or _has_a_long_integer(text))


def _differ_in_brackets_only(text: bytes, written: bytes) -> bool:
    """Whether the text was written again as it came, but for the lists around the records."""
    return text.strip(b"[]") == written.strip(b"[]")


def _lacks_a_key(text: bytes, written: bytes) -> bool:
    """Whether a key of the text may have been dropped: then its quotes are missing in what is written.

    A quote that the text escapes as u0022 is written with a quote more, which could make up for them.
    """
    return text.count(b'"') != written.count(b'"') or b"\\u0022" in text


def _has_a_long_integer(text: bytes) -> bool:
    """Whether there are so many digits in a row that it may be an integer beyond 64 bits."""
    return _DIGITS_BEYOND_64_BITS in text.translate(_DIGITS_TO_ZERO)
