"""Write a whole answer as the server-sent events that `stream=true` asks for.

In: a chat completion. Out: the chunks of OpenAI's stream. Each choice has one chunk with its message, all fields of it,
and one with its finish reason and whatever else the provider says of the choice; what it says of the whole completion
is in the first chunk. Then comes the usage if it was asked for, then `[DONE]`. Put together again, the chunks are the
answer that came. What is no completion, such as an error with status 200, is one event as it is.

So it is where an answer leaves whole, or its provider gave it whole: smaller pieces would arrive no earlier. What is
given on while it comes is written by `live`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

_SHARED = ("id", "created", "model", "service_tier", "system_fingerprint")
_NOT_OF_FIRST = frozenset({*_SHARED, "object", "choices", "usage"})
_OF_PIECES = frozenset({"index", "message", "logprobs", "finish_reason"})


def events(completion: dict[str, Any], *, include_usage: bool) -> bytes:
    """The body of the event stream."""
    chunks = _chunks(completion, include_usage) if _is_completion(completion) else [completion]
    return b"".join(b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"


def _is_completion(body: dict[str, Any]) -> bool:
    choices = body.get("choices")
    return isinstance(choices, list) and bool(choices) and all(map(_is_choice, choices))


def _is_choice(choice: Any) -> bool:
    if not isinstance(choice, dict) or not isinstance(choice.get("message") or {}, dict):
        return False
    calls = (choice.get("message") or {}).get("tool_calls") or []
    return isinstance(calls, list) and all(isinstance(call, dict) for call in calls)


def _chunks(completion: dict[str, Any], include_usage: bool) -> Iterator[dict[str, Any]]:
    shared = {name: completion[name] for name in _SHARED if name in completion}
    shared["object"] = "chat.completion.chunk"
    unspent = {"usage": None} if include_usage else {}
    # Clients that add chunks up would have it several times if it stood in more than one.
    once = {name: value for name, value in completion.items() if name not in _NOT_OF_FIRST}
    for choice in completion["choices"]:
        piece = _piece(choice, _delta(choice.get("message") or {}), None)
        if choice.get("logprobs"):
            piece["logprobs"] = choice["logprobs"]
        yield {**shared, **once, **unspent, "choices": [piece]}
        once = {}
        others = {name: value for name, value in choice.items() if name not in _OF_PIECES}
        yield {**shared, **unspent, "choices": [_piece(choice, {}, choice.get("finish_reason")) | others]}
    if include_usage:
        yield {**shared, "choices": [], "usage": completion.get("usage")}


def _piece(choice: dict[str, Any], delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": choice.get("index", 0), "delta": delta, "finish_reason": finish_reason}


def _delta(message: dict[str, Any]) -> dict[str, Any]:
    delta = {name: value for name, value in message.items() if value is not None and name != "tool_calls"}
    if message.get("tool_calls"):
        # A provider may have left an index in a whole call, the same in each.
        delta["tool_calls"] = [{**call, "index": number} for number, call in enumerate(message["tool_calls"])]
    return delta
