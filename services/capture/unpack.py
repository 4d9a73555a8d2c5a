"""A pushed body as it was before its Content-Encoding: identity, gzip or zstd.

At most 32 MB come out: reading stops there, whatever the body would unpack to. Raises TooLarge, or ApiError where the
encoding is unknown or the bytes are not of it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from typing import Protocol

from backports import zstd

from foundation.errors import ApiError, TooLarge

MAX_UNPACKED = 32 * 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS
# The rest of a body is copied for each.
_MOST_PIECES = 1000


class _Unpacking(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def unpacked(body: bytes, encoding: str | None) -> bytes:
    """The body's content."""
    name = (encoding or "identity").strip().lower()
    match name:
        case "identity" | "":
            return body
        case "gzip":
            begin: Callable[[], _Unpacking] = partial(zlib.decompressobj, _GZIP)
        case "zstd":
            begin = zstd.ZstdDecompressor
        case _:
            raise ApiError(
                f"Content-Encoding '{name}' is not known: send gzip, zstd or none.",
                code="unsupported_encoding",
                param="Content-Encoding",
            )
    try:
        content, whole = _content(body, begin)
    except (zlib.error, zstd.ZstdError) as error:
        raise ApiError(
            f"The body is not valid {name}: {error}.", code="invalid_encoding", param="Content-Encoding"
        ) from error
    if len(content) > MAX_UNPACKED:
        raise TooLarge(
            f"The body unpacks to more than {MAX_UNPACKED} bytes. Send fewer records at once.", code="request_too_large"
        )
    if not whole:
        raise ApiError(f"The {name} body ends too early.", code="invalid_encoding", param="Content-Encoding")
    return content


def _content(body: bytes, begin: Callable[[], _Unpacking]) -> tuple[bytes, bool]:
    """What was packed, up to a byte over the limit, and whether its end is there. Both formats may come in pieces."""
    pieces: list[bytes] = []
    left = MAX_UNPACKED + 1
    for _ in range(_MOST_PIECES):
        unpacking = begin()
        pieces.append(unpacking.decompress(body, left))
        left -= len(pieces[-1])
        body = unpacking.unused_data
        if not left or not unpacking.eof or not body:
            return pieces[0] if len(pieces) == 1 else b"".join(pieces), unpacking.eof
    raise ApiError(
        f"The body comes in more than {_MOST_PIECES} pieces.", code="invalid_encoding", param="Content-Encoding"
    )
