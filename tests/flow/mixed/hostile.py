"""Records that mean harm, or were made by a broken program: each shape is the JSON of one pushed record.

Every one has its marker in the message of the user, where that survives the shape, and the tag `kind: odd`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

type Change = Callable[[dict[str, Any]], object]
type Shape = Callable[[dict[str, Any]], bytes]

TAG = {"kind": "odd"}


def _changed(change: Change) -> Shape:
    def shape(record: dict[str, Any]) -> bytes:
        odd = copy.deepcopy(record)
        change(odd)
        return json.dumps(odd).encode()

    return shape


def _set(*path: str | int, to: Any) -> Shape:
    def change(record: dict[str, Any]) -> None:
        place: Any = record
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return _changed(change)


def _id(odd: str) -> Shape:
    """An id of its own that has this in it."""
    return _changed(lambda record: record["response"].update(id=record["response"]["id"] + odd))


def _replaced(old: bytes, new: bytes) -> Shape:
    """What `json` cannot write."""
    return lambda record: json.dumps(record).encode().replace(old, new, 1)


def _nested(levels: int) -> Any:
    value: Any = "deep"
    for _ in range(levels):
        value = [value]
    return value


_CHOICE = ("response", "choices", 0)
_TAGS = {f"{number}" * 3: "\U0001f600" * 500 for number in range(10)}
_CALL = {"id": "call", "type": "function", "function": {"name": "f", "arguments": "{"}}

SHAPES: dict[str, Shape] = {
    "finish reason of 600 KB": _set(*_CHOICE, "finish_reason", to="x" * 600_000),
    "finish reason that is a list": _set(*_CHOICE, "finish_reason", to=["stop"]),
    "id of 256 four-byte letters": _id("\U0001f600" * 256),
    "id with a slash": _id("a/b"),
    "id with a hash": _id("a#b"),
    "id with a question mark": _id("?a=b&c"),
    "id with a newline": _id("a\nb"),
    "id with a smile": _id("\U0001f600"),
    "id with a tilde": _id("~GONE"),
    "id with a percent": _id("%2F%00"),
    "id with NUL": _id("\x00"),
    "id that is a dot": _set("response", "id", to="."),
    "id that is a number": _set("response", "id", to=7),
    "id that is empty": _set("response", "id", to=""),
    "model of 3 KB": _set("response", "model", to="m" * 3_000),
    "model with odd letters": _set("response", "model", to="m#\n/\U0001f600"),
    "usage that is a text": _set("response", "usage", to="none"),
    "usage of 2^63 tokens": _set("response", "usage", "prompt_tokens", to=1 << 63),
    "usage of -1 tokens": _set("response", "usage", "completion_tokens", to=-1),
    "usage of half a token": _set("response", "usage", "completion_tokens", to=0.5),
    "tags at their longest": _changed(lambda record: record["metadata"].update(_TAGS)),
    "tags of numbers": _set("metadata", "number", to=5),
    "tag with NUL": _set("metadata", "\x00", to="\x00"),
    "temperature that is a list": _set("request", "temperature", to=[0.1]),
    "parameters of 300 KB": _set("request", "logit_bias", to={f"{n}": 1 for n in range(20_000)}),
    "tools that are a number": _set("request", "tools", to=3),
    "content that is a number": _set(*_CHOICE, "message", "content", to=5),
    "content that is null": _set(*_CHOICE, "message", "content", to=None),
    "content of 1 MB": _set(*_CHOICE, "message", "content", to="y" * 1_000_000),
    "800 tool calls": _set(*_CHOICE, "message", "tool_calls", to=[_CALL] * 800),
    "nested 240 levels": _set("reference", to=_nested(240)),
    "nested 300 levels": _set("reference", to=_nested(300)),
    "nested 20,000 levels": _replaced(b'"billing"', b"[" * 20_000 + b"]" * 20_000),
    "integer of 70 bits": _set("reference", to=1 << 70),
    "float beyond all floats": _replaced(b'"temperature": 0', b'"temperature": 1e999'),
    "NaN": _replaced(b'"temperature": 0', b'"temperature": NaN'),
    "lone surrogate": _replaced(b"please", b"\\ud800"),
    "doubled key": _replaced(b'"request": {', b'"request": {"model": "a", "model": "b", '),
    "bytes that are no UTF-8": _replaced(b"please", b"\xff\xfe"),
    "made in the year 0": _set("created", to=0),
    "made in a far year": _set("created", to=(1 << 33) - 1),
    "made in milliseconds": _set("created", to=1_800_000_000_000),
    "latency of 2^53": _set("latency_ms", to=1 << 53),
    "no choices": _set("response", "choices", to=[]),
    "choices that are null": _set("response", "choices", to=None),
    "an unknown field": _set("metdata", to={}),
    "a number": lambda _: b"5",
    "null": lambda _: b"null",
    "an empty object": lambda _: b"{}",
}
