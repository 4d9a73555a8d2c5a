"""Write a whole answer as the server-sent events that `stream=true` asks for.

In: a chat completion. Out: the chunks of OpenAI's stream. Each choice has one chunk with its content and tool calls and
one with its finish reason; then comes the usage if it was asked for, then `[DONE]`.

The managed Python runtime buffers an answer whole, so smaller pieces would arrive no earlier; an application that needs
the first token fast calls its provider directly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

_SPOKEN = ("role", "content", "refusal", "function_call", "audio")
_SHARED = ("id", "created", "model", "service_tier", "system_fingerprint")


def events(completion: dict[str, Any], *, include_usage: bool) -> bytes:
    """The body of the event stream."""
    chunks = b"".join(b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in _chunks(completion, include_usage))
    return chunks + b"data: [DONE]\n\n"


def _chunks(completion: dict[str, Any], include_usage: bool) -> Iterator[dict[str, Any]]:
    shared = {name: completion[name] for name in _SHARED if name in completion}
    shared["object"] = "chat.completion.chunk"
    unspent = {"usage": None} if include_usage else {}
    for choice in completion["choices"]:
        chunk = {**shared, **unspent, "choices": [_piece(choice, _delta(choice.get("message") or {}), None)]}
        if choice.get("logprobs"):
            chunk["choices"][0]["logprobs"] = choice["logprobs"]
        yield chunk
        yield {**shared, **unspent, "choices": [_piece(choice, {}, choice.get("finish_reason"))]}
    if include_usage:
        yield {**shared, "choices": [], "usage": completion.get("usage")}


def _piece(choice: dict[str, Any], delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": choice.get("index", 0), "delta": delta, "finish_reason": finish_reason}


def _delta(message: dict[str, Any]) -> dict[str, Any]:
    delta = {name: message[name] for name in _SPOKEN if message.get(name) is not None}
    if message.get("tool_calls"):
        delta["tool_calls"] = [{"index": number, **call} for number, call in enumerate(message["tool_calls"])]
    return delta
