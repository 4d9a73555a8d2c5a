"""TRL's conversational format of supervised training, as `datasets` reads it: contents are strings, arguments objects.

Chat templates write the arguments of a call themselves, so they are objects here and not JSON in a string. TRL has no
`weight`: an answer that is context alone has no counterpart.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from pydantic import Field

from distillations.formats.format import Format, Row, Unwritable
from distillations.formats.openai_chat import OfferedTool, OpenAIExample, Strict

_ROLES = {"developer": "system"}


class CalledFunction(Strict):
    """The function of a call."""

    name: str
    arguments: dict[str, Any]


class Call(Strict):
    """A call."""

    id: str
    type: Literal["function"]
    function: CalledFunction


class Turn(Strict):
    """A message."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    name: str | None = None
    tool_calls: Annotated[list[Call], Field(min_length=1)] | None = None
    tool_call_id: str | None = None


class MessagesRow(Strict):
    """A row: the conversation, which ends with the answer to learn, and the tools."""

    messages: list[Turn] = Field(min_length=2)
    tools: list[OfferedTool] | None = None


def messages_row(example: Row) -> Row:
    """The row of a supervised example. Raises Unwritable."""
    if any(message.get("weight") == 0 for message in example["messages"]):
        raise Unwritable("TRL's format trains on every answer: weight 0 has no counterpart")
    return {"messages": [turn(message) for message in example["messages"]], **tools_of(example)}


def turn(message: Row) -> Row:
    """A message as chat templates take it. Raises Unwritable."""
    calls = [{**call, "function": _called(call["function"])} for call in message.get("tool_calls") or ()]
    kept = {name: message[name] for name in ("name", "tool_call_id") if message.get(name) is not None}
    role = _ROLES.get(message["role"], message["role"])
    return {"role": role, "content": _text(message.get("content")), **kept, **({"tool_calls": calls} if calls else {})}


def tools_of(asked: Row) -> Row:
    """The tools, where any were offered."""
    return {"tools": asked["tools"]} if asked.get("tools") else {}


def _called(function: Row) -> Row:
    return {**function, "arguments": orjson.loads(function["arguments"])}


def _text(content: str | list[Row] | None) -> str:
    if isinstance(content, list):
        if any(part["type"] != "text" for part in content):
            raise Unwritable("TRL's format has texts alone here: leave rows with images out of the training set")
        return "\n\n".join(part["text"] for part in content)
    return content or ""


FORMAT = Format(example=OpenAIExample, row=MessagesRow, written=messages_row)
