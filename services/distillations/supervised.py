"""A training example in OpenAI's supervised format: the check of a line before a trainer refuses the whole file.

In: a line of a training file. Out: the same as a model, or pydantic's ValidationError that names the field. A trainer's
entry in the registry names the format that it takes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from completions.messages import every_call_is_answered

type _Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class _Text(_Strict):
    type: Literal["text"]
    text: str


class _Address(_Strict):
    url: str
    detail: Literal["auto", "low", "high"] | None = None


class _Image(_Strict):
    type: Literal["image_url"]
    image_url: _Address


class _CalledFunction(_Strict):
    name: _Name
    arguments: str


class _Call(_Strict):
    id: str = Field(min_length=1)
    type: Literal["function"]
    function: _CalledFunction


type _Texts = str | Annotated[list[_Text], Field(min_length=1)]


class _Instruction(_Strict):
    role: Literal["system", "developer"]
    content: _Texts
    name: str | None = None


class _Question(_Strict):
    role: Literal["user"]
    content: str | Annotated[list[Annotated[_Text | _Image, Field(discriminator="type")]], Field(min_length=1)]
    name: str | None = None


class _Answer(_Strict):
    role: Literal["assistant"]
    content: _Texts | None = None
    tool_calls: Annotated[list[_Call], Field(min_length=1)] | None = None
    name: str | None = None
    weight: Literal[0, 1] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.content is None and self.tool_calls is None:
            raise ValueError("an assistant's message has neither text nor tool calls")
        return self


class _Result(_Strict):
    role: Literal["tool"]
    content: _Texts
    tool_call_id: str


type _Message = Annotated[_Instruction | _Question | _Answer | _Result, Field(discriminator="role")]


class _OfferedFunction(_Strict):
    name: _Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class _Tool(_Strict):
    type: Literal["function"]
    function: _OfferedFunction


class OpenAIExample(_Strict):
    """A line: the conversation, which ends with the answer to learn, and the tools that were offered."""

    messages: list[_Message] = Field(min_length=2)
    tools: Annotated[list[_Tool], Field(min_length=1)] | None = None
    parallel_tool_calls: bool | None = None

    @model_validator(mode="after")
    def _is_one_conversation(self) -> Self:
        answer = self.messages[-1]
        if not isinstance(answer, _Answer) or answer.weight == 0:
            raise ValueError("the last message is no answer to learn")
        if not every_call_is_answered([message.model_dump() for message in self.messages[:-1]]):
            raise ValueError("a tool's result does not follow its call, or is missing")
        if self.parallel_tool_calls is not None and self.tools is None:
            raise ValueError("parallel_tool_calls stands without tools")
        return self


def problem_of(line: dict[str, Any], example: type[BaseModel]) -> str | None:
    """The first reason why a trainer that takes such examples would refuse the line, without its text; None if none."""
    try:
        example.model_validate(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        wrong = first["msg"].removeprefix("Value error, ")
        return f"{place}: {wrong}" if place else wrong
    return None
