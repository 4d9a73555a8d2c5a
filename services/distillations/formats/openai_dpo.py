"""OpenAI's format of preference training: a question, the answer to prefer, and the one that is worse.

It is the shape in which all pairs lie. Each answer is one message of the assistant.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, FailFast, Field, model_validator
from pydantic_core import PydanticCustomError

from distillations.formats.format import Format, itself
from distillations.formats.openai_chat import Answer, Message, OfferedTool, Strict, refuse_loose_calls


class Asked(Strict):
    """What was asked, and with which tools."""

    messages: Annotated[list[Message], Field(min_length=1), FailFast()]
    tools: Annotated[list[OfferedTool], Field(min_length=1), FailFast()] | None = None
    parallel_tool_calls: bool | None = None

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.messages[-1].role == "assistant":
            raise ValueError("the input ends with an answer: that belongs to the outputs")
        refuse_loose_calls(self.messages)
        if self.parallel_tool_calls is not None and self.tools is None:
            raise ValueError("parallel_tool_calls stands without tools")
        return self


type Output = Annotated[list[Answer], Field(min_length=1, max_length=1), FailFast()]


class OpenAIPair(Strict):
    """A row: the question, and both answers to it."""

    input: Asked
    preferred_output: Output
    non_preferred_output: Output

    @model_validator(mode="after")
    def _differs(self) -> Self:
        for output in (self.preferred_output, self.non_preferred_output):
            if output[0].blank:
                raise PydanticCustomError("empty_answer", "an answer is empty")
        preferred, other = (_said(output[0]) for output in (self.preferred_output, self.non_preferred_output))
        if preferred == other:
            raise PydanticCustomError("no_difference", "both answers are the same")
        return self


def _said(answer: BaseModel) -> object:
    return answer.model_dump(include={"content", "tool_calls"})


FORMAT = Format(example=OpenAIPair, row=OpenAIPair, written=itself)
