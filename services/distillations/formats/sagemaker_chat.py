"""SageMaker's `openai_chat`, for open models: texts of the roles system, user and assistant alone."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from distillations.formats.format import Format, Row, Unwritable
from distillations.formats.openai_chat import OpenAIExample, Strict

_ROLES = {"developer": "system"}


class Text(Strict):
    """What somebody said."""

    role: Literal["system", "user", "assistant"]
    content: str


class TextsRow(Strict):
    """A row: texts of which the last is the answer to learn."""

    messages: list[Text] = Field(min_length=2)

    @model_validator(mode="after")
    def _ends_with_an_answer(self) -> Self:
        if self.messages[-1].role != "assistant":
            raise ValueError("the last message must be the assistant's")
        return self


def texts_row(example: Row) -> Row:
    """The row of a supervised example. Raises Unwritable."""
    if any(message.get("weight") == 0 for message in example["messages"]):
        raise Unwritable("SageMaker's schema trains on every answer: weight 0 has no counterpart")
    return {"messages": texts(example["messages"], example)}


def texts(messages: list[Row], asked: Row) -> list[Row]:
    """Messages as texts. Raises Unwritable; `asked` has the tools that were offered."""
    if asked.get("tools") or any(message["role"] == "tool" or message.get("tool_calls") for message in messages):
        raise Unwritable("SageMaker's schema has no tools: leave rows with tools out of the training set")
    if any(message.get("name") is not None for message in messages):
        raise Unwritable("SageMaker's schema has no names of speakers")
    return [
        {"role": _ROLES.get(message["role"], message["role"]), "content": _text(message.get("content"))}
        for message in messages
    ]


def _text(content: str | list[Row] | None) -> str:
    if isinstance(content, list):
        if any(part["type"] != "text" for part in content):
            raise Unwritable("SageMaker's schema has texts alone: leave rows with images out of the training set")
        return "\n".join(part["text"] for part in content)
    return content or ""


FORMAT = Format(example=OpenAIExample, row=TextsRow, written=texts_row)
