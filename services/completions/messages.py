"""Read chat messages whatever their spelling: texts, tool calls and reasoning, as OpenAI and others write them.

In: a message or its content as it was captured, of which only the role was checked. Out: the same in OpenAI's present
spelling. What is no known part and no call is passed on as it is: whoever reads it says that it cannot be used.
"""

from __future__ import annotations

from typing import Any

import orjson

# Tuples, since a type that was captured may be a list, which no set can look up.
_TEXTS = ("text", "input_text", "output_text")
_IMAGES = ("image_url", "input_image")
_THOUGHTS = ("thinking", "redacted_thinking", "reasoning")
_REFUSAL = "refusal"


def parts_of(content: Any) -> list[Any]:
    """The parts of a content, which is a text, a part or a list of them.

    Thoughts are no content, and a provider's `cache_control` is no part of one. Texts have the type `text`, images
    `image_url`.
    """
    if content is None or content == "":
        return []
    parts = content if isinstance(content, list) else [content]
    return [_part(part) for part in parts if not (isinstance(part, dict) and part.get("type") in _THOUGHTS)]


def _part(part: Any) -> Any:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, dict):
        return part
    if part.get("type") in _TEXTS and isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"]}
    if part.get("type") in _IMAGES and isinstance(part.get("image_url"), str | dict):
        return {"type": "image_url", "image_url": _image(part)}
    return {name: value for name, value in part.items() if name != "cache_control" and value is not None}


def _image(part: dict[str, Any]) -> dict[str, Any]:
    """The address of an image, which some write as a text, with the detail if one was chosen."""
    image = part["image_url"]
    fields = image if isinstance(image, dict) else {"url": image, "detail": part.get("detail")}
    return {name: value for name, value in fields.items() if value is not None and (name, value) != ("detail", "auto")}


def is_text(part: Any) -> bool:
    """Whether a part that `parts_of` gave is a text."""
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def text_of(content: Any) -> str:
    """The text of a content: its text parts one behind the other, as they were streamed."""
    return "".join(part["text"] for part in parts_of(content) if is_text(part))


def refusal_of(message: dict[str, Any]) -> str:
    """The words by which a model refused, in a field of their own or in a part of the content; else an empty text."""
    if isinstance(message.get(_REFUSAL), str):
        return str(message[_REFUSAL])
    parts = [part for part in parts_of(message.get("content")) if isinstance(part, dict)]
    return "".join(str(part.get(_REFUSAL) or "") for part in parts if part.get("type") == _REFUSAL)


def reasoning_of(message: dict[str, Any]) -> str:
    """What a model thought before it answered, as far as its provider tells; else an empty text."""
    for name in ("reasoning_content", "reasoning"):
        if isinstance(message.get(name), str) and message[name]:
            return str(message[name])
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    return "".join(_thought(part) for part in parts if isinstance(part, dict) and part.get("type") in _THOUGHTS)


def _thought(part: dict[str, Any]) -> str:
    thinking = part.get("thinking") or part.get("text")
    return text_of(thinking) if isinstance(thinking, str | list) else ""


def calls_of(message: dict[str, Any]) -> list[Any]:
    """The tool calls of a message as `tool_calls` has them today; a legacy `function_call` is one without an id."""
    calls = message.get("tool_calls")
    if isinstance(calls, list) and calls:
        return [_call(call) for call in calls]
    legacy = message.get("function_call")
    return [_call(legacy)] if isinstance(legacy, dict) and legacy.get("name") else []


def _call(call: Any) -> Any:
    """A call in one spelling; whatever names no tool as it is."""
    if not isinstance(call, dict):
        return call
    custom = call.get("custom")
    if isinstance(custom, dict) and isinstance(custom.get("name"), str):
        called: dict[str, Any] = {
            "type": "custom",
            "custom": {"name": custom["name"], "input": _written(custom.get("input"), "")},
        }
    else:
        function = call.get("function", call)
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            return call
        arguments = _written(function.get("arguments"), "{}")
        called = {"type": "function", "function": {"name": function["name"], "arguments": arguments}}
    return {"id": call["id"], **called} if isinstance(call.get("id"), str) and call["id"] else called


def _written(arguments: Any, nothing: str) -> str:
    """Arguments as the text that OpenAI has for them; some providers give the object itself."""
    if isinstance(arguments, str):
        return arguments or nothing
    return nothing if arguments is None else orjson.dumps(arguments).decode()


class Calls:
    """The calls of a conversation in their order, numbered from 1, and which of them a result answers."""

    def __init__(self) -> None:
        self._by_id: dict[str, int] = {}
        self._by_name: dict[str, int] = {}
        self._count = 0

    def add(self, call: Any) -> int:
        """The number of the next call, one that `calls_of` gave."""
        self._count += 1
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(call, dict) and isinstance(call.get("id"), str):
            self._by_id[call["id"]] = self._count
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            self._by_name[function["name"]] = self._count
        return self._count

    def answered_by(self, message: dict[str, Any]) -> int | None:
        """The number of the call whose result the message is, by its id or its name; None if there is no such call."""
        name, call_id = message.get("name"), message.get("tool_call_id")
        if isinstance(call_id, str) and call_id in self._by_id:
            return self._by_id[call_id]
        return self._by_name.get(name) if isinstance(name, str) else None


def every_call_is_answered(messages: list[dict[str, Any]]) -> bool:
    """Whether the results of all calls of a message follow it directly, and no others, as a chat demands."""
    open_calls: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                return False
            open_calls.discard(message["tool_call_id"])
        elif open_calls:
            return False
        else:
            open_calls = {call["id"] for call in message.get("tool_calls") or ()}
    return not open_calls
