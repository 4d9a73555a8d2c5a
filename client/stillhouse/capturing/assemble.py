"""Assemble a streamed answer.

In: the bytes of a response, server-sent events or plain JSON. Out: the `chat.completion` that the chunks add up to, or
the `response` in the last event, as OpenAI gives it without streaming; None if the stream was cut off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

# Not str.splitlines: a line separator of Unicode may stand unescaped inside a JSON string.
_LINE = re.compile(r"\r\n|\n|\r")
# Sent again by some providers in every chunk of a call; the rest of a delta's strings are pieces.
_WHOLE = frozenset({"id", "type", "name", "role", "index", "expires_at"})
_FIRST = frozenset({"id", "created", "model"})
_LAST_EVENTS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_OF_CHUNKS = frozenset({"object", "choices", "obfuscation"})


def completion_in(body: bytes) -> dict[str, Any] | None:
    text = body.decode("utf-8", "replace").lstrip("\ufeff \r\n\t")
    if text.startswith("{"):
        document = json.loads(text)
        return document if "choices" in document or document.get("object") == "response" else None
    chunks = _chunks(text)
    for chunk in chunks:
        kind = chunk.get("type")
        if kind in _LAST_EVENTS:
            response: dict[str, Any] = chunk["response"]
            return response
        if not str(kind).startswith("response."):
            return _assembled(chain([chunk], chunks))
    return None


def _chunks(text: str) -> Iterator[dict[str, Any]]:
    data: list[str] = []
    for line in [*_LINE.split(text), ""]:
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            event, data = "\n".join(data), []
            if event.startswith("[DONE]"):
                return
            yield json.loads(event)


def _assembled(chunks: Iterator[dict[str, Any]]) -> dict[str, Any] | None:
    head: dict[str, Any] = {"id": None, "object": "chat.completion", "created": None, "model": None}
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        if chunk.get("error"):
            return None
        for name, value in chunk.items():
            if name not in _OF_CHUNKS and value is not None and not (name in _FIRST and head[name]):
                head[name] = value
        for part in chunk.get("choices") or ():
            _add_choice(choices, part)
    finished = [_finished(choices[index]) for index in sorted(choices)]
    if not finished or any(choice["finish_reason"] is None for choice in finished):
        return None
    return {name: value for name, value in head.items() if value is not None} | {"choices": finished}


def _add_choice(choices: dict[int, dict[str, Any]], part: dict[str, Any]) -> None:
    index = part.get("index") or 0
    choice = choices.setdefault(index, {"index": index, "message": {"role": "assistant"}, "finish_reason": None})
    for name, value in part.items():
        if name == "delta":
            _merge(choice["message"], value or {})
        elif name == "logprobs" and value is not None:
            _merge(choice.setdefault("logprobs", {}), value)
        elif value is not None:
            choice[name] = value


def _merge(whole: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        known = whole.get(name)
        if isinstance(value, list):
            whole[name] = known = known or []
            _merge_list(known, value)
        elif isinstance(value, dict):
            whole[name] = known = known or {}
            _merge(known, value)
        elif isinstance(value, str) and isinstance(known, str) and name not in _WHOLE:
            whole[name] = known + value
        elif value or known is None:
            whole[name] = value


def _merge_list(whole: list[Any], delta: list[Any]) -> None:
    """Merge an entry that has an index into the entry with the same index; append one without."""
    for entry in delta:
        if not isinstance(entry, dict) or not isinstance(entry.get("index"), int):
            whole.append(entry)
            continue
        place = next((known for known in whole if known.get("index") == entry["index"]), None)
        if place is None:
            place = {"index": entry["index"]}
            whole.append(place)
        _merge(place, entry)


def _finished(choice: dict[str, Any]) -> dict[str, Any]:
    message = {"content": None, "refusal": None} | choice["message"]
    calls = message.get("tool_calls")
    if calls:
        # The index tells the pieces of parallel calls apart; a whole message has none.
        ordered = sorted(calls, key=lambda call: call.get("index", len(calls)))
        message["tool_calls"] = [{name: call[name] for name in call if name != "index"} for call in ordered]
    return choice | {"message": message}
