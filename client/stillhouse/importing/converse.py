"""Convert Bedrock's Converse bodies to the chat shape; Nova's own bodies have the same form.

In: the bodies of a call. Out: request fields and a response without ids. Raises Unmapped for blocks that the chat shape
cannot hold. Reasoning is left out and noted; cache points are left out.
"""

from __future__ import annotations

from typing import Any

from stillhouse.importing import chat
from stillhouse.importing.anthropic import FINISH as ANTHROPIC_FINISH
from stillhouse.importing.source import Unmapped

_FINISH = {**ANTHROPIC_FINISH, "content_filtered": "content_filter", "guardrail_intervened": "content_filter"}
_PARAMETERS = {
    "maxTokens": "max_tokens",
    "max_new_tokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "stopSequences": "stop",
}


def request(body: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    turns = chat.messages("system", _blocks(body.get("system") or [], notes))
    for message in body["messages"]:
        turns += chat.messages(message["role"], _blocks(message["content"], notes))
    asked: dict[str, Any] = {"messages": turns}
    other = dict(body.get("additionalModelRequestFields") or {})
    for name, value in (body.get("inferenceConfig") or {}).items():
        if name not in _PARAMETERS:
            other[name] = value
        elif value not in (None, []):
            asked[_PARAMETERS[name]] = value
    config = body.get("toolConfig") or {}
    tools = [tool["toolSpec"] for tool in config.get("tools") or () if "cachePoint" not in tool]
    if tools:
        asked["tools"] = [
            chat.function(tool["name"], tool.get("description"), tool["inputSchema"]["json"]) for tool in tools
        ]
    match config.get("toolChoice"):
        case {"tool": {"name": name}}:
            asked["tool_choice"] = {"type": "function", "function": {"name": name}}
        case {"any": _}:
            asked["tool_choice"] = "required"
        case {"auto": _}:
            asked["tool_choice"] = "auto"
    notes += [f"parameter {name}: left out" for name in sorted(other)]
    return asked


def response(body: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    reason = body.get("stopReason")
    if reason not in _FINISH:
        raise Unmapped(f"stop reason '{reason}'")
    counts = body.get("usage") or {}
    cached = counts.get("cacheReadInputTokens") or 0
    fresh = counts.get("inputTokens")
    prompt = None if fresh is None else fresh + cached + (counts.get("cacheWriteInputTokens") or 0)
    return chat.completion(
        None,
        None,
        chat.answer(_blocks(body["output"]["message"]["content"], notes)),
        finish_reason=_FINISH[reason],
        usage=chat.usage(prompt, counts.get("outputTokens"), cached=cached),
    )


def _blocks(content: Any, notes: list[str]) -> list[chat.Block]:
    blocks: list[chat.Block] = []
    for block in content:
        match block:
            case {"text": text}:
                blocks.append(chat.Text(text))
            case {"image": {"format": kind, "source": {"bytes": str(data)}}}:
                blocks.append(chat.Image(f"data:image/{kind};base64,{data}"))
            case {"toolUse": {"toolUseId": call_id, "name": name, "input": arguments}}:
                blocks.append(chat.Call(call_id, name, chat.as_text(arguments)))
            case {"toolResult": {"toolUseId": call_id, "content": given}}:
                blocks.append(chat.Result(call_id, "".join(_result(part) for part in given)))
            case {"reasoningContent": _}:
                notes.append("thinking: left out")
            case {"cachePoint": _}:
                pass
            case _:
                raise Unmapped(f"content block '{next(iter(block), None)}'")
    return blocks


def _result(given: dict[str, Any]) -> str:
    match given:
        case {"text": str(text)}:
            return text
        case {"json": document}:
            return chat.as_text(document)
        case _:
            raise Unmapped(f"a tool result with '{next(iter(given), None)}'")
