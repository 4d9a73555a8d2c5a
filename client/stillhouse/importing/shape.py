"""Bring messages that other frameworks wrote into the shape of a chat.

In: messages as a trace or a file has them: of OpenAI, LangChain, Vercel's AI SDK, Anthropic or Gemini. Out: messages in
the chat shape; a message in that shape already is returned as it is. Reasoning is left out and noted. Raises Unmapped,
naming the kind, for what a chat cannot hold. Whether the rest is sound is for `valid` to say.
"""

from __future__ import annotations

from typing import Any

from stillhouse.importing import chat
from stillhouse.importing.source import Unmapped

_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "AIMessageChunk": "assistant"}
"""The names of LangChain, which has them in `type`, and of Gemini."""
_PARTS = frozenset({"text", "image_url", "input_audio", "file", "refusal"})
_REASONING = frozenset({"thinking", "redacted_thinking", "reasoning"})
_LANGCHAIN = frozenset({"additional_kwargs", "response_metadata", "invalid_tool_calls", "usage_metadata", "example"})


def messages(given: Any, notes: list[str]) -> list[dict[str, Any]]:
    """Return the messages in the chat shape. Raises Unmapped."""
    if not isinstance(given, list) or not given:
        raise Unmapped("messages are missing")
    return [mapped for message in given for mapped in _messages(message, notes)]


def answer(given: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """Return the one message that a model answered. Raises Unmapped."""
    mapped = _messages({"role": "assistant", **given}, notes)
    if len(mapped) != 1 or mapped[0]["role"] != "assistant":
        raise Unmapped("an output that is no message")
    return mapped[0]


def _messages(given: Any, notes: list[str]) -> list[dict[str, Any]]:
    named = (given.get("role") or given.get("type")) if isinstance(given, dict) else None
    if not isinstance(named, str):
        raise Unmapped("a message without a role")
    other = _LANGCHAIN | {"type", "parts"}
    message = {name: value for name, value in given.items() if name not in other} | {"role": _ROLES.get(named, named)}
    more = given.get("additional_kwargs")
    if isinstance(more, dict) and more.get("tool_calls") and not message.get("tool_calls"):
        message["tool_calls"] = more["tool_calls"]
    if isinstance(message.get("tool_calls"), list):
        message["tool_calls"] = [_call(call) for call in message["tool_calls"]]
    content = given.get("parts") if "content" not in given else given["content"]
    if not isinstance(content, list):
        return [message]
    return _with_parts(message, [_part(part, notes) for part in content])


def _with_parts(message: dict[str, Any], parts: list[Any]) -> list[dict[str, Any]]:
    """Return the results of tools as messages of their own, then the message with its other parts and its calls."""
    results = [
        {"role": "tool", "tool_call_id": part.id, "content": part.text}
        for part in parts
        if isinstance(part, chat.Result)
    ]
    calls = [chat.called(part) for part in parts if isinstance(part, chat.Call)]
    content = [part for part in parts if isinstance(part, dict)]
    if calls:
        message["tool_calls"] = [*(message.get("tool_calls") or ()), *calls]
    if not (content or calls) and results:
        return results
    return [*results, {**message, "content": content or None}]


def _part(part: Any, notes: list[str]) -> dict[str, Any] | chat.Call | chat.Result | None:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    kind = part.get("type") if isinstance(part, dict) else type(part).__name__
    if kind in _REASONING:
        notes.append("thinking: left out")
        return None
    mapped = _text_or_image(part) or _call_or_result(part)
    if mapped is None and kind not in _PARTS:
        raise Unmapped(f"content part '{kind}'")
    return mapped or dict(part)


def _text_or_image(part: Any) -> dict[str, Any] | None:
    match part:
        case {"type": "input_text" | "output_text", "text": str(text)}:
            return {"type": "text", "text": text}
        case {"text": str(text)} if "type" not in part:
            return {"type": "text", "text": text}
        case {"type": "image_url" | "input_image", "image_url": str(url)} | {"type": "image", "image": str(url)}:
            return _image(url)
        case {"type": "image", "source": {"type": "url", "url": url}} | {"type": "image", "url": url}:
            return _image(url)
        case {"type": "image", "source": {"type": "base64", "media_type": media, "data": data}} | {
            "type": "image",
            "mime_type": media,
            "data": data,
        }:
            return _image(f"data:{media};base64,{data}")
        case _:
            return None


def _call_or_result(part: Any) -> chat.Call | chat.Result | None:
    match part:
        case {"type": "tool_use", "id": str(call_id), "name": str(name), "input": arguments}:
            return chat.Call(call_id, name, chat.as_text(arguments))
        case {"type": "tool-call", "toolCallId": str(call_id), "toolName": str(name)}:
            return chat.Call(call_id, name, chat.as_text(part.get("input", part.get("args"))))
        case {"type": "tool_result", "tool_use_id": str(call_id)}:
            return chat.Result(call_id, _text(part.get("content") or ""))
        case {"type": "tool-result", "toolCallId": str(call_id)}:
            return chat.Result(call_id, _output(part.get("output", part.get("result"))))
        case _:
            return None


def _image(url: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def _text(content: Any) -> str:
    """Return what a tool gave as text. Raises Unmapped for an image."""
    if isinstance(content, list) and all(isinstance(part, dict) and "text" in part for part in content):
        return "".join(str(part["text"]) for part in content)
    if isinstance(content, list) and any(isinstance(part, dict) and part.get("type") == "image" for part in content):
        raise Unmapped("a tool result that is no text")
    return chat.as_text(content)


def _output(output: Any) -> str:
    """Return the result of a tool of Vercel's SDK, which may stand in `{type, value}`."""
    typed = isinstance(output, dict) and output.keys() == {"type", "value"}
    return chat.as_text(output["value"] if typed else output)


def _call(call: Any) -> Any:
    """Return a tool call in the chat shape: LangChain has `name` and `args`, others have arguments that are no text."""
    match call:
        case {"function": {"arguments": dict(arguments)} as function}:
            return {**call, "type": "function", "function": {**function, "arguments": chat.as_text(arguments)}}
        case {"name": str(name), "args": arguments, "id": str(call_id)}:
            return chat.called(chat.Call(call_id, name, chat.as_text(arguments)))
        case _:
            return call
