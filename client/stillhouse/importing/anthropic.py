"""Convert Anthropic's messages, as Bedrock logs them, to the chat shape.

In: the bodies of a call; a streamed answer is the list of its events. Out: request fields and a response without ids.
Raises Unmapped for blocks that the chat shape cannot hold; thinking is left out and noted.
"""

from __future__ import annotations

import json
from typing import Any

from stillhouse.importing import chat
from stillhouse.importing.source import Unmapped

FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_SAME = ("max_tokens", "temperature", "top_p")
_OTHER = frozenset({*_SAME, "messages", "system", "tools", "tool_choice", "stop_sequences", "anthropic_version"})
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def request(body: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    asked: dict[str, Any] = {"messages": _messages(body, notes)}
    asked |= {name: body[name] for name in _SAME if body.get(name) is not None}
    if body.get("stop_sequences"):
        asked["stop"] = body["stop_sequences"]
    if body.get("tools"):
        asked["tools"] = [_tool(tool) for tool in body["tools"]]
    choice = body.get("tool_choice")
    if choice:
        named = {"type": "function", "function": {"name": choice.get("name")}}
        asked["tool_choice"] = named if choice["type"] == "tool" else _CHOICES[choice["type"]]
        if choice.get("disable_parallel_tool_use"):
            asked["parallel_tool_calls"] = False
    notes += [f"parameter {name}: left out" for name in sorted(body.keys() - _OTHER)]
    return asked


def _messages(body: dict[str, Any], notes: list[str]) -> list[dict[str, Any]]:
    system = _blocks(body.get("system") or [], notes)
    turns = chat.messages("system", system)
    for message in body["messages"]:
        turns += chat.messages(message["role"], _blocks(message["content"], notes))
    return turns


def response(body: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    counts = body.get("usage") or {}
    reason = body.get("stop_reason")
    if reason not in FINISH:
        raise Unmapped(f"stop reason '{reason}'")
    cached = counts.get("cache_read_input_tokens") or 0
    fresh = counts.get("input_tokens")
    prompt = None if fresh is None else fresh + cached + (counts.get("cache_creation_input_tokens") or 0)
    return chat.completion(
        None,
        body.get("model"),
        chat.answer(_blocks(body["content"], notes)),
        finish_reason=FINISH[reason],
        usage=chat.usage(prompt, counts.get("output_tokens"), cached=cached),
    )


def _blocks(content: Any, notes: list[str]) -> list[chat.Block]:
    if isinstance(content, str):
        return [chat.Text(content)]
    blocks: list[chat.Block] = []
    for block in content:
        match block:
            case {"type": "text", "text": text}:
                blocks.append(chat.Text(text))
            case {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}:
                blocks.append(chat.Image(f"data:{kind};base64,{data}"))
            case {"type": "image", "source": {"type": "url", "url": url}}:
                blocks.append(chat.Image(url))
            case {"type": "tool_use", "id": call_id, "name": name, "input": arguments}:
                blocks.append(chat.Call(call_id, name, chat.as_text(arguments)))
            case {"type": "tool_result", "tool_use_id": call_id}:
                blocks.append(chat.Result(call_id, _result(block.get("content") or "", notes)))
            case {"type": "thinking" | "redacted_thinking"}:
                notes.append("thinking: left out")
            case _:
                raise Unmapped(f"content block '{block.get('type')}'")
    return blocks


def _result(content: Any, notes: list[str]) -> str:
    texts = _blocks(content, notes)
    if not all(isinstance(block, chat.Text) for block in texts):
        raise Unmapped("a tool result that is no text")
    return "".join(block.text for block in texts if isinstance(block, chat.Text))


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    if tool.get("type", "custom") != "custom":
        raise Unmapped(f"tool of type '{tool['type']}'")
    return chat.function(tool["name"], tool.get("description"), tool["input_schema"])


def assembled(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Assemble the message from the events of a stream. Raises Unmapped if the stream was cut off."""
    message: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    arguments: dict[int, str] = {}
    ended = False
    for event in events:
        match event:
            case {"type": "message_start", "message": started}:
                message = dict(started)
            case {"type": "content_block_start", "index": index, "content_block": block}:
                blocks[index] = dict(block)
            case {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}:
                blocks[index]["text"] = blocks[index].get("text", "") + text
            case {"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta"}}:
                arguments[index] = arguments.get(index, "") + event["delta"]["partial_json"]
            case {"type": "message_delta"}:
                message |= event["delta"]
                message["usage"] = {**(message.get("usage") or {}), **(event.get("usage") or {})}
            case {"type": "message_stop"}:
                ended = True
    if not message or not ended:
        raise Unmapped("a stream without its end")
    for index, text in arguments.items():
        blocks[index]["input"] = json.loads(text or "{}")
    return {**message, "content": [blocks[index] for index in sorted(blocks)]}
