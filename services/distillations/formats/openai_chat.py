"""OpenAI's format of supervised training: messages of which the last is the answer to learn, and the tools.

It is the shape in which all examples lie. Images, tools and `weight` are part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field, model_validator
from pydantic_core import PydanticCustomError

from distillations.formats.format import Format, itself
from foundation.foreign_json import MOST_LEVELS, is_deeper

type _Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


class Strict(BaseModel):
    """A part of a row. Unknown fields are refused: trainers refuse the whole file for them."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class _Text(Strict):
    type: Literal["text"]
    text: str


class _Address(Strict):
    url: str
    detail: Literal["auto", "low", "high"] | None = None


class _Image(Strict):
    type: Literal["image_url"]
    image_url: _Address


def _is_an_object(arguments: str) -> str:
    try:
        called_with = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        called_with = None
    if not isinstance(called_with, dict):
        raise PydanticCustomError("tool_arguments_invalid_json", "the arguments of a call are no JSON object")
    # Formats whose arguments are objects could not write them.
    if is_deeper(called_with, MOST_LEVELS):
        raise PydanticCustomError("too_deep", "the arguments of a call are nested too deep")
    return arguments


class _CalledFunction(Strict):
    name: _Name
    arguments: Annotated[str, AfterValidator(_is_an_object)]


class _Call(Strict):
    id: str = Field(min_length=1)
    type: Literal["function"]
    function: _CalledFunction


type _Texts = str | Annotated[list[_Text], Field(min_length=1), FailFast()]


type _Part = Annotated[_Text | _Image, Field(discriminator="type")]


class _Instruction(Strict):
    role: Literal["system", "developer"]
    content: _Texts
    name: str | None = None


class _Question(Strict):
    role: Literal["user"]
    content: str | Annotated[list[_Part], Field(min_length=1), FailFast()]
    name: str | None = None


class Answer(Strict):
    """What an assistant said, or what it called."""

    role: Literal["assistant"]
    content: _Texts | None = None
    tool_calls: Annotated[list[_Call], Field(min_length=1), FailFast()] | None = None
    name: str | None = None
    weight: Literal[0, 1] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.content is None and self.tool_calls is None:
            raise PydanticCustomError("missing_content", "an assistant's message has neither text nor tool calls")
        return self

    @property
    def blank(self) -> bool:
        """Whether it says nothing and calls nothing."""
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content or ())
        return self.tool_calls is None and not text.strip()


class _Result(Strict):
    role: Literal["tool"]
    content: _Texts
    tool_call_id: str


type Message = Annotated[_Instruction | _Question | Answer | _Result, Field(discriminator="role")]


class _OfferedFunction(Strict):
    name: _Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class OfferedTool(Strict):
    """A tool that was offered."""

    type: Literal["function"]
    function: _OfferedFunction


class OpenAIExample(Strict):
    """A row: the conversation, which ends with the answer to learn, and the tools that were offered."""

    # Of a million messages that are none the first is enough: an error takes more memory than what is wrong.
    messages: Annotated[list[Message], Field(min_length=1), FailFast()]
    tools: Annotated[list[OfferedTool], Field(min_length=1), FailFast()] | None = None
    parallel_tool_calls: bool | None = None

    @model_validator(mode="after")
    def _is_one_conversation(self) -> Self:
        *before, answer = self.messages
        if not any(isinstance(message, Answer) for message in self.messages):
            raise PydanticCustomError("example_missing_assistant_message", "no message is the assistant's")
        if not isinstance(answer, Answer) or answer.weight == 0:
            raise PydanticCustomError("last_message_not_assistant", "the last message is no answer to learn")
        if not before:
            raise ValueError("nothing stands before the answer")
        if answer.blank:
            raise PydanticCustomError("empty_assistant", "the answer to learn is empty")
        refuse_loose_calls(before)
        if self.parallel_tool_calls is not None and self.tools is None:
            raise ValueError("parallel_tool_calls stands without tools")
        return self


def refuse_loose_calls(messages: Sequence[Message]) -> None:
    """Raises unless the results of all calls of a message follow it directly, and no others, as a chat demands."""
    open_calls: set[str] = set()
    for message in messages:
        if isinstance(message, _Result):
            if message.tool_call_id not in open_calls:
                raise PydanticCustomError("tool_result_without_call", "a tool's result does not follow its call")
            open_calls.discard(message.tool_call_id)
            continue
        if open_calls:
            break
        open_calls = {call.id for call in (message.tool_calls or ())} if isinstance(message, Answer) else set()
    if open_calls:
        raise PydanticCustomError("tool_call_without_result", "a tool's result is missing behind its call")


FORMAT = Format(example=OpenAIExample, row=OpenAIExample, written=itself)
