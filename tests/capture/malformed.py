"""Bodies that are no sound push, each with a mark in it that may come back in no log.

`whole` are refused whole, with (body, Content-Encoding, status, code); `LINES` are records that are refused alone, with
the code and the field that the refusal names.
"""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

from backports import zstd

from tests.flow import loop

MARK = "never-to-be-logged"
MOST_SENT = 4 * 1024 * 1024
MOST_UNPACKED = 32 * 1024 * 1024


def sound(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A record that is accepted, with the mark in its answer."""
    record = {**loop.record(number, split="train", tag="sound"), **fields}
    record["response"]["choices"][0]["message"]["content"] = MARK
    return record


def line(**fields: Any) -> bytes:
    return json.dumps(sound(**fields)).encode()


def padded(size: int) -> bytes:
    """A sound record of exactly this many bytes."""
    return line(reference="x" * (size - len(line(reference=""))))


def spread(size: int) -> bytes:
    """Sound records of exactly this many bytes together, none of them large."""
    lines = [line(number=number, reference="x" * 1_000_000) for number in range(size // 1_010_000)]
    left = size - sum(map(len, lines)) - len(lines)
    empty = len(line(number=9_999, reference=""))
    return b"\n".join([*lines, line(number=9_999, reference="x" * (left - empty))])


_MARK = MARK.encode()
_SOUND = line()
_ANSWER = "response.choices[0].message.content"

type Whole = tuple[bytes, str | None, int, str | None]


def bomb(megabytes: int) -> bytes:
    """So many megabytes of zeros, each but the first packed to the same bytes; what would end the file never comes."""
    packing = zlib.compressobj(wbits=31)
    first, other = (packing.compress(bytes(1_000_000)) + packing.flush(zlib.Z_FULL_FLUSH) for _ in "ab")
    return first + other * (megabytes - 1)


def whole() -> dict[str, Whole]:
    """Bodies that are refused. To make them takes a while, so not for whoever only imports this."""
    return {
        "nothing": (b"", None, 400, None),
        "spaces": (b" \r\n\t ", None, 400, None),
        "a million empty lines": (b"\n" * 1_000_000, None, 400, None),
        "an array of nothing": (b"[]", None, 400, None),
        "words": (_MARK, None, 400, "invalid_json"),
        "markup": (b"<a>" + _MARK + b"</a>", None, 400, "invalid_json"),
        "python": (b"{'request': '" + _MARK + b"'}", None, 400, "invalid_json"),
        "an object cut short": (_SOUND[:-1], None, 400, "invalid_json"),
        "an array cut short": (b"[" + _SOUND + b", " + _SOUND, None, 400, "invalid_json"),
        "a comma at the end": (b"[" + _SOUND + b",]", None, 400, "invalid_json"),
        "two objects on a line": (_SOUND + _SOUND, None, 400, "invalid_json"),
        "a byte order mark": (b"\xef\xbb\xbf" + _SOUND, None, 400, "invalid_json"),
        "utf-16": (_SOUND.decode().encode("utf-16"), None, 400, "invalid_json"),
        "utf-32": (_SOUND.decode().encode("utf-32"), None, 400, "invalid_json"),
        "a bare NUL": (_SOUND.replace(b"never", b"\x00never"), None, 400, "invalid_json"),
        "a NUL at the end": (_SOUND + b"\x00", None, 400, "invalid_json"),
        "levels without end": (b"[" * 100_000 + _MARK, None, 400, "invalid_json"),
        "closed levels without end": (b"[" * 100_000 + b"]" * 100_000, None, 400, "invalid_json"),
        "a text": (json.dumps(MARK).encode(), None, 400, "invalid_type"),
        "a number": (b"12", None, 400, "invalid_type"),
        "null": (b"null", None, 400, "invalid_type"),
        "an array in an array": (b"[[" + _SOUND + b"]]", None, 400, "invalid_type"),
        "packed without a header": (gzip.compress(_SOUND), None, 400, "invalid_json"),
        "packed twice": (gzip.compress(gzip.compress(_SOUND)), "gzip", 400, "invalid_json"),
        "plain, called gzip": (_SOUND, "gzip", 400, "invalid_encoding"),
        "plain, called zstd": (_SOUND, "zstd", 400, "invalid_encoding"),
        "gzip, called zstd": (gzip.compress(_SOUND), "zstd", 400, "invalid_encoding"),
        "zstd, called gzip": (zstd.compress(_SOUND), "gzip", 400, "invalid_encoding"),
        "an unknown encoding": (_SOUND, "br", 400, "unsupported_encoding"),
        "two encodings": (gzip.compress(_SOUND), "gzip, gzip", 400, "unsupported_encoding"),
        "gzip cut short": (gzip.compress(_SOUND)[:-9], "gzip", 400, "invalid_encoding"),
        "zstd cut short": (zstd.compress(_SOUND)[:-3], "zstd", 400, "invalid_encoding"),
        "gzip of nothing": (gzip.compress(b""), "gzip", 400, None),
        "gzip and more": (gzip.compress(_SOUND) + _MARK, "gzip", 400, "invalid_encoding"),
        "zstd and more": (zstd.compress(_SOUND) + _MARK, "zstd", 400, "invalid_encoding"),
        "a gzip bomb": (bomb(300), "gzip", 413, "request_too_large"),
        "a zstd bomb": (zstd.compress(bytes(300_000_000)), "zstd", 413, "request_too_large"),
        "a bomb in pieces": (gzip.compress(bytes(1_000_000)) * 40, "gzip", 413, "request_too_large"),
        "too many pieces": (zstd.compress(b"") * 400_000, "zstd", 400, "invalid_encoding"),
        "a byte too many": (padded(MOST_SENT + 1), None, 413, "request_too_large"),
        "a byte too many, unpacked": (gzip.compress(spread(MOST_UNPACKED + 1)), "gzip", 413, "request_too_large"),
        "a record too large to be read back": (gzip.compress(padded(MOST_SENT + 100)), "gzip", 413, "record_too_large"),
        "a million lines": (b"0\n" * 1_000_000, None, 413, "too_many_records"),
        "a million records": (gzip.compress(b"[" + b"{}," * 1_000_000 + b"{}]"), "gzip", 413, "too_many_records"),
    }


def without(name: str) -> bytes:
    record = sound()
    del record[name]
    return json.dumps(record).encode()


def nested(levels: int) -> bytes:
    return line(reference="@").replace(b'"@"', b"[" * levels + b"]" * levels)


LINES: dict[str, tuple[bytes, str, str | None]] = {
    "no object": (json.dumps([MARK]).encode(), "invalid_type", None),
    "cut short": (_SOUND[: len(_SOUND) // 2], "invalid_json", None),
    "not a number": (line(reference={"logprob": [0, float("-inf")]}), "invalid_json", "reference.logprob[1]"),
    "a number without end": (line(reference="@").replace(b'"@"', b"1e400"), "invalid_json", "reference"),
    "a lone surrogate": (_SOUND.replace(b"never", b"\\udc00never"), "invalid_json", _ANSWER),
    "a lone surrogate as bytes": (_SOUND.replace(b"never", b"\xed\xa0\x80never"), "invalid_json", _ANSWER),
    "a lone surrogate in a key": (line(reference={"\ud83d": 1}), "invalid_json", "reference"),
    "a doubled key with a lone surrogate": (
        line(reference="@").replace(b'"@"', b'{"\\ud83d": 1, "\\ud83d": 2}'),
        "duplicate_key",
        "\N{REPLACEMENT CHARACTER}",
    ),
    "a NUL": (_SOUND.replace(b"never", b"\x00never"), "invalid_json", None),
    "latin-1": (_SOUND.replace(b"never", b"n\xe9ver"), "invalid_json", _ANSWER),
    "a key that stands twice": (_SOUND[:-1] + b', "request": {}}', "duplicate_key", "request"),
    "too many levels": (nested(300), "nested_too_deeply", None),
    "levels without end": (nested(100_000), "invalid_json", None),
    "no request": (without("request"), "missing_required_parameter", "request"),
    "no response": (without("response"), "missing_required_parameter", "response"),
    "a request of another kind": (line(request=[MARK]), "invalid_value", "request"),
    "a time of another kind": (line(created=[MARK]), "invalid_value", "created"),
    "a time without end": (line(created=10**18), "invalid_value", "created"),
    "a time beyond 64 bits": (line(created=10**40), "integer_too_large", "created"),
    "an integer of 65 bits": (line(reference={"seed": 2**64}), "integer_too_large", "reference.seed"),
    "an integer below 64 bits": (
        line(reference={"seed": [1, [-(2**63) - 1]]}),
        "integer_too_large",
        "reference.seed[1][0]",
    ),
    "an integer of 300 digits": (
        line(reference="@").replace(b'"@"', b"9" * 300),
        "integer_too_large",
        "reference",
    ),
    "a latency of another kind": (line(latency_ms=MARK), "invalid_value", "latency_ms"),
    "a latency in parts": (line(latency_ms=0.5), "invalid_value", "latency_ms"),
    "tags of another kind": (line(metadata=MARK), "invalid_value", "metadata"),
    "a tag of another kind": (line(metadata={"user": [MARK]}), "invalid_value", "metadata.user"),
    "a tag without end": (line(metadata={"user": MARK * 100}), "invalid_value", "metadata.user"),
    "a tag whose name has a megabyte": (
        line(metadata={"k" * 1_000_000: MARK}),
        "invalid_value",
        f"metadata.{'k' * 64}",
    ),
    "a provider of another kind": (line(provider={"name": MARK}), "invalid_value", "provider"),
}

UNSPLIT = {"cut short", "a NUL", "levels without end"}
"""The lines after which nobody can say where the next record of an array begins."""
