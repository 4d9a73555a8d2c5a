"""A captured completion as a line of OpenAI's supervised format, in one spelling whatever its client wrote.

In: a completion and its answer, the teacher's or a corrected one. Out: the request's messages, that answer, and the
tools if any were offered. Whether a trainer takes the line is checked by the format of its registry entry, not here.

Legacy functions become tools, ids that calls lack are made up, thoughts and cache marks are left out, and so is what is
null or empty. Assistant turns before the answer have `weight` 0 unless `trains_history`: they may be another
model's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from completions.completion import Completion
from completions.messages import Calls, calls_of, is_text, parts_of, reasoning_of, refusal_of, text_of

_TOOL_FIELDS = ("name", "description", "parameters", "strict")


def training_line(
    completion: Completion,
    answer: dict[str, Any] | None = None,
    *,
    trains_history: bool = False,
    reasoning: bool = False,
) -> dict[str, Any]:
    """The line as a JSON object. Without an answer it has that of the completion; `reasoning` has it think aloud."""
    answer = answer or completion.choice["message"]
    messages = list(_messages(completion.messages, answer))
    thought = reasoning_of(answer) if reasoning else ""
    if thought:
        messages[-1]["content"] = f"<think>\n{thought}\n</think>\n\n{messages[-1].get('content') or ''}"
    if not trains_history:
        messages[:-1] = [_unlearnt(message) for message in messages[:-1]]
    line: dict[str, Any] = {"messages": messages}
    tools = _tools(completion.request)
    if tools:
        line["tools"] = tools
        if isinstance(completion.request.get("parallel_tool_calls"), bool):
            line["parallel_tool_calls"] = completion.request["parallel_tool_calls"]
    return line


def answer_line(message: dict[str, Any]) -> dict[str, Any]:
    """An answer alone as the message of a line that ends with it."""
    [line] = _messages([], message)
    return line


def history_turns(line: dict[str, Any]) -> int:
    """How many assistant turns stand before the answer of a line."""
    return sum(message["role"] == "assistant" for message in line["messages"][:-1])


def _unlearnt(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "weight": 0} if message["role"] == "assistant" else message


def _messages(asked: list[dict[str, Any]], answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    calls = Calls()
    ids: dict[int, str] = {}
    for message in asked:
        match message["role"]:
            case "assistant":
                yield _present(_named(message), content=_said(message), tool_calls=_with_ids(message, calls, ids))
            case "tool" | "function":
                number = calls.answered_by(message)
                call_id = message.get("tool_call_id") if number is None else ids[number]
                yield _present({"role": "tool"}, content=_content(message.get("content")), tool_call_id=call_id)
            case _:
                yield _present(_named(message), content=_content(message.get("content")))
    text = text_of(answer.get("content")) or ("" if answer.get("content") == "" else None)
    yield _present({"role": "assistant"}, content=text, tool_calls=_with_ids(answer, calls, ids))


def _named(message: dict[str, Any]) -> dict[str, Any]:
    named = isinstance(message.get("name"), str) and message["name"]
    return {"role": message["role"], "name": message["name"]} if named else {"role": message["role"]}


def _present(message: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**message, **{name: value for name, value in fields.items() if value is not None}}


def _with_ids(message: dict[str, Any], calls: Calls, ids: dict[int, str]) -> list[Any] | None:
    """The calls of a message, each with an id, which is noted under the call's number."""
    numbered = [(calls.add(call), call) for call in calls_of(message)]
    ids |= {number: _id_of(call) or f"call_no_{number}" for number, call in numbered}
    return [{"id": ids[number], **call} if isinstance(call, dict) else call for number, call in numbered] or None


def _id_of(call: Any) -> str | None:
    return call.get("id") if isinstance(call, dict) else None


def _said(message: dict[str, Any]) -> Any:
    """What an assistant said: its texts, its refusal or the transcript of its voice; None if it only called tools."""
    texts = [part for part in parts_of(message.get("content")) if is_text(part)]
    audio = message.get("audio")
    spoken = audio.get("transcript") if isinstance(audio, dict) else None
    return _content(texts or refusal_of(message) or spoken or message.get("content"))


def _content(content: Any) -> Any:
    """A content as its text if it is one, else as its parts; None if there is none."""
    parts = parts_of(content)
    if not parts:
        return "" if content == "" else None
    return parts[0]["text"] if len(parts) == 1 and is_text(parts[0]) else parts


def _tools(request: dict[str, Any]) -> list[Any]:
    tools = request.get("tools")
    if isinstance(tools, list) and tools:
        return [_tool(tool) for tool in tools]
    functions = request.get("functions")
    return [_tool({"function": function}) for function in functions] if isinstance(functions, list) else []


def _tool(tool: Any) -> Any:
    """A function in one spelling; what is no function as it is."""
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict):
        return tool
    fields = {name: function[name] for name in _TOOL_FIELDS if function.get(name) is not None}
    return {"type": "function", "function": fields}
