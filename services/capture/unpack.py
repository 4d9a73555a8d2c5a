"""A pushed body as it was before its Content-Encoding: identity, gzip or zstd.

At most 32 MB come out: reading stops there, whatever the body would unpack to. Raises TooLarge, or ApiError where the
encoding is unknown or the bytes are not of it.
"""

from __future__ import annotations

import zlib

from backports import zstd

from foundation.errors import ApiError, TooLarge

MAX_UNPACKED = 32 * 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS


def unpacked(body: bytes, encoding: str | None) -> bytes:
    """The body's content."""
    name = (encoding or "identity").strip().lower()
    try:
        match name:
            case "identity" | "":
                return body
            case "gzip":
                unpack = zlib.decompressobj(_GZIP)
                content = unpack.decompress(body, MAX_UNPACKED + 1)
                whole = unpack.eof
            case "zstd":
                frames = zstd.ZstdDecompressor()
                content = frames.decompress(body, MAX_UNPACKED + 1)
                whole = frames.eof
            case _:
                raise ApiError(
                    f"Content-Encoding '{name}' is not known: send gzip, zstd or none.",
                    code="unsupported_encoding",
                    param="Content-Encoding",
                )
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
