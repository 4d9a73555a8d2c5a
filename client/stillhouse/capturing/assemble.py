"""Assemble a streamed answer.

In: the bytes of a response, server-sent events or plain JSON. Out: the `chat.completion` that the chunks add up to, or
the `response` in the last event, as OpenAI gives it without streaming; None if the stream was cut off. Raises
ValueError, TypeError, AttributeError, KeyError or RecursionError for bytes that are none of these.

Fields are put together by their kind, whether they are known or not. Within a delta, strings and lists are appended and
objects merged; beside it in a choice, lists are appended and all else is replaced; of the whole completion the last
value holds, because providers repeat such fields in every chunk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

# Not str.splitlines: a line separator of Unicode may stand unescaped inside a JSON string.
_LINE = re.compile(r"\r\n|\n|\r")
# Sent again by some providers in every chunk of a call; the rest of a delta's strings are pieces.
_WHOLE = frozenset({"id", "type", "name", "role", "format", "index", "expires_at"})
_FIRST = frozenset({"id", "created", "model"})
_LAST_EVENTS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_OF_CHUNKS = frozenset({"object", "choices", "obfuscation"})


def completion_in(body: bytes) -> dict[str, Any] | None:
    text = body.decode("utf-8", "replace").lstrip("\ufeff \r\n\t")
    if text.startswith("{"):
        document = json.loads(text)
        return document if "choices" in document or document.get("object") == "response" else None
    chunks = list(_chunks(text))
    last = next((chunk for chunk in chunks if chunk.get("type") in _LAST_EVENTS), None)
    if last:
        return last["response"] if isinstance(last.get("response"), dict) else None
    # Not every event of a response is named after it: `keepalive` may come before and between the others.
    is_response = any(str(chunk.get("type")).startswith("response.") for chunk in chunks)
    return None if is_response else _assembled(chunks)


def _chunks(text: str) -> Iterator[dict[str, Any]]:
    data: list[str] = []
    for line in [*_LINE.split(text), ""]:
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            event, data = "\n".join(data), []
            if event.startswith("[DONE]"):
                return
            if event.strip():
                yield json.loads(event)


def _assembled(chunks: list[dict[str, Any]]) -> dict[str, Any] | None:
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
    if not finished or not all(choice["finish_reason"] for choice in finished):
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
        elif name == "finish_reason":
            # Some providers send an empty reason with every chunk: only a word says that the choice has ended.
            choice[name] = value or choice[name]
        elif isinstance(value, list):
            _merge(choice, {name: value})
        elif value is not None:
            choice[name] = value


def _merge(whole: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        known = whole.get(name)
        if name == "content" and known and value and type(known) is not type(value):
            whole[name] = _joined(known, value)
        elif isinstance(value, list):
            whole[name] = known = known or []
            _merge_list(known, value)
        elif isinstance(value, dict):
            whole[name] = known = known or {}
            _merge(known, value)
        elif isinstance(value, str) and isinstance(known, str) and name not in _WHOLE:
            whole[name] = known + value
        elif value or known is None:
            whole[name] = value


def _joined(known: Any, value: Any) -> list[Any]:
    """The parts of a content whose pieces are of several kinds: thoughts as parts, then the answer as plain text."""
    parts = _parts(known)
    for part in _parts(value):
        if parts and _is_text(part) and _is_text(parts[-1]):
            parts[-1] = {**parts[-1], "text": parts[-1]["text"] + part["text"]}
        else:
            parts.append(part)
    return parts


def _parts(content: Any) -> list[Any]:
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content} if isinstance(content, str) else content]


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _merge_list(whole: list[Any], delta: list[Any]) -> None:
    """Merge an entry that goes on with a known one into it; append any other."""
    for entry in delta:
        known = _begun(whole, entry) if isinstance(entry, dict) else None
        if known is not None:
            _merge(known, entry)
        elif isinstance(entry, dict) and isinstance(entry.get("index"), int):
            whole.append({"index": entry["index"]})
            _merge(whole[-1], entry)
        else:
            whole.append(entry)


def _begun(whole: list[Any], entry: dict[str, Any]) -> dict[str, Any] | None:
    """The entry with which this piece goes on; None if it begins one.

    It is the last one with the same index, unless the piece has another id: some providers number all parallel calls 0.
    An id alone does not begin a call, since others give each piece of a call a new one. A piece of a call that has
    neither index nor id goes on with the last call.
    """
    known: dict[str, Any] | None
    if isinstance(entry.get("index"), int):
        same = (known for known in reversed(whole) if isinstance(known, dict) and known.get("index") == entry["index"])
        known = next(same, None)
        if known is None or (_is_another(entry.get("id"), known.get("id")) and _begins(entry)):
            return None
        return known
    goes_on = _called(entry) is not None and not entry.get("id") and not _begins(entry)
    known = whole[-1] if goes_on and whole and isinstance(whole[-1], dict) else None
    return known


def _is_another(own: Any, known: Any) -> bool:
    return bool(own) and bool(known) and own != known


def _begins(entry: dict[str, Any]) -> bool:
    """Whether a piece names what is called, or is not of a call."""
    called = _called(entry)
    return called is None or bool(called.get("name"))


def _called(entry: dict[str, Any]) -> dict[str, Any] | None:
    called = entry.get("function") or entry.get("custom")
    return called if isinstance(called, dict) else None


def _finished(choice: dict[str, Any]) -> dict[str, Any]:
    message = {"content": None, "refusal": None} | choice["message"]
    calls = message.get("tool_calls")
    if calls:
        # The index tells the pieces of parallel calls apart; a whole message has none.
        ordered = sorted(calls, key=lambda call: call.get("index") if call.get("index") is not None else len(calls))
        message["tool_calls"] = [{name: call[name] for name in call if name != "index"} for call in ordered]
    return choice | {"message": message}
