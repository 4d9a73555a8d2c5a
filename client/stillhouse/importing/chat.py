"""Build the chat shape from typed blocks, in which other systems keep a message.

In: a role and its blocks, read by the module for that system. Out: messages and a completion as OpenAI's API has them:
tool results become messages of their own, several texts become content parts. Raises Unmapped for blocks that the chat
shape cannot hold.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stillhouse.importing.source import Unmapped

PARAMETERS = frozenset(
    {
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "modalities",
        "parallel_tool_calls",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "verbosity",
    }
)


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a message, or a part of it."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A URL, or a data URL."""

    url: str


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call of the model; `arguments` is JSON as text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a tool call."""

    id: str
    text: str


Block = Text | Image | Call | Result


def messages(role: str, blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """Return the messages of one turn, in the order of its blocks."""
    if role == "assistant":
        return [answer(blocks)]
    turn: list[dict[str, Any]] = []
    pending: list[Block] = []
    for block in blocks:
        if not isinstance(block, Result):
            pending.append(block)
            continue
        turn += _as_messages(role, pending)
        pending = []
        turn.append({"role": "tool", "tool_call_id": block.id, "content": block.text})
    return turn + _as_messages(role, pending)


def _as_messages(role: str, blocks: list[Block]) -> list[dict[str, Any]]:
    if not blocks:
        return []
    match blocks:
        case [Text(text)]:
            return [{"role": role, "content": text}]
        case _:
            return [{"role": role, "content": [_part(block, role) for block in blocks]}]


def _part(block: Block, role: str) -> dict[str, Any]:
    match block:
        case Text(text):
            return {"type": "text", "text": text}
        case Image(url):
            return {"type": "image_url", "image_url": {"url": url}}
        case _:
            raise Unmapped(f"a {type(block).__name__.lower()} in a message of the {role}")


def answer(blocks: Sequence[Block]) -> dict[str, Any]:
    """Return the message of the assistant; its texts are joined. Raises Unmapped for images and tool results."""
    calls = [block for block in blocks if isinstance(block, Call)]
    texts = [block.text for block in blocks if isinstance(block, Text)]
    if len(calls) + len(texts) < len(blocks):
        raise Unmapped("an image or a tool result in a message of the assistant")
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) if texts else None}
    if calls:
        message["tool_calls"] = [called(call) for call in calls]
    return message


def called(call: Call) -> dict[str, Any]:
    """Return a tool call in the chat shape."""
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def completion(
    completion_id: str | None,
    model: str | None,
    message: dict[str, Any],
    *,
    finish_reason: str | None = None,
    usage: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a response of one choice. The default finish reason is `tool_calls` if it calls tools, else `stop`."""
    ended = finish_reason or ("tool_calls" if message.get("tool_calls") else "stop")
    choice = {"index": 0, "finish_reason": ended, "message": {**message, "role": "assistant"}, "logprobs": None}
    known = {"id": completion_id, "model": model, "usage": usage}
    filled = {name: value for name, value in known.items() if value}
    return {"object": "chat.completion", "choices": [choice], **filled}


def usage(prompt: Any, answered: Any, *, cached: Any = None) -> dict[str, Any] | None:
    """Return token counts; None unless both counts are known."""
    if not isinstance(prompt, int) or not isinstance(answered, int):
        return None
    counts: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": answered,
        "total_tokens": prompt + answered,
    }
    if cached:
        counts["prompt_tokens_details"] = {"cached_tokens": cached}
    return counts


def function(name: Any, description: Any, parameters: Any, strict: Any = None) -> dict[str, Any]:
    """Return a tool definition in the chat shape."""
    known = {"name": name, "description": description, "parameters": parameters, "strict": strict}
    return {"type": "function", "function": {field: value for field, value in known.items() if value is not None}}


def as_text(value: Any) -> str:
    """Return a text as it is, and any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
