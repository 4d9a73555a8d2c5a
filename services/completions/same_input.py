"""Whether two inputs are the same: the same question to a model, however a client writes it down.

In: chat messages as they were captured. Out: keys that are equal exactly for inputs that are the same. Freezing, leaks,
duplicates and contradictions are all decided by them.

No difference makes: a text and its text parts; what is empty, null or absent; ids of tool calls, by which a result only
points at its call; `function_call` and `tool_calls`; system and developer, and such a message that says nothing; the
order of keys, in arguments too, and 1 or 1.0 there; white space, also of no width, and letters that are the same in
NFKC; `cache_control`; and fields that no model reads, such as annotations, or reasoning of earlier turns. Every other
difference does, in roles, texts, names, calls, results, images and audio.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import orjson

from completions.messages import Calls, calls_of, is_text, parts_of, refusal_of

_LETTERS = 32
_ROLES = {"developer": "system", "function": "tool"}
# Some clients send the system's message whether or not there is one.
_NOTHING_SAID = {"role": "system"}
_WITHOUT_WIDTH = str.maketrans("", "", "\u200b\u2060\ufeff")
_EXACT = 2.0**53


def input_key(messages: list[dict[str, Any]]) -> str:
    """The key of an input."""
    return prefix_keys(messages)[-1] if messages else hashlib.sha256().hexdigest()[:_LETTERS]


def prefix_keys(messages: list[dict[str, Any]]) -> list[str]:
    """The keys of the first message, of the first two and so on, of which the last is that of the whole input."""
    digest = hashlib.sha256()
    keys = []
    for message in _normal_messages(messages):
        if message != _NOTHING_SAID:
            digest.update(orjson.dumps(message, option=orjson.OPT_SORT_KEYS) + b"\n")
        keys.append(digest.hexdigest()[:_LETTERS])
    return keys


def answer_key(message: dict[str, Any]) -> str:
    """The key of an answer: equal for those that say the same and call the same tools."""
    return input_key([{**message, "role": "assistant"}])


def _normal_messages(messages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    calls = Calls()
    for message in messages:
        role = message.get("role")
        normal = {
            "role": _ROLES.get(role, role) if isinstance(role, str) else role,
            "content": _content(message.get("content")),
            "refusal": _text(refusal_of(message)),
            "audio": _normal(message.get("audio")),
            "calls": [_call(call, calls) for call in calls_of(message)],
            **_speaker(message, calls),
        }
        yield {name: value for name, value in normal.items() if value not in (None, "", [], {})}


def _call(call: Any, calls: Calls) -> Any:
    """A call without its id, and with its arguments as the value that they write."""
    calls.add(call)
    function = call.get("function") if isinstance(call, dict) else None
    if isinstance(function, dict) and isinstance(function.get("name"), str):
        return {"function": function["name"], "arguments": _arguments(function["arguments"])}
    return _normal({name: value for name, value in call.items() if name != "id"} if isinstance(call, dict) else call)


def _speaker(message: dict[str, Any], calls: Calls) -> dict[str, Any]:
    """Who speaks: a name, or for a result the number of its call, which the name only repeats."""
    number = calls.answered_by(message) if message.get("role") in ("tool", "function") else None
    return {"name": _normal(message.get("name"))} if number is None else {"answers": number}


def _content(content: Any) -> Any:
    """One text, or parts of which no two texts stand side by side. Where one text part ends, white space may stand."""
    parts: list[Any] = []
    for are_texts, group in groupby(parts_of(content), is_text):
        if are_texts:
            parts.append(_text(" ".join(part["text"] for part in group)))
        else:
            parts += [_normal(part) for part in group if not (isinstance(part, dict) and part.get("type") == "refusal")]
    parts = [part for part in parts if part != ""]
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else parts


def _arguments(text: str) -> str:
    """The arguments of a call in one spelling, if they are JSON that can be written again."""
    try:
        return orjson.dumps(_normal(orjson.loads(text)), option=orjson.OPT_SORT_KEYS).decode()
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError):
        return _text(text)


def _text(text: str) -> str:
    # Normalising leaves ASCII as it is, and takes most of the time of a key.
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_WITHOUT_WIDTH))
    return " ".join(text.split())


def _normal(value: Any) -> Any:
    match value:
        case str():
            return _text(value)
        case dict():
            return {name: _normal(inner) for name, inner in value.items() if inner is not None}
        case list():
            return [_normal(inner) for inner in value]
        case float() if value.is_integer() and abs(value) < _EXACT:
            return int(value)
        case _:
            return value
