"""SageMaker's `hf_preference`, for open models and DPO: a prompt, a chosen and a rejected answer."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from distillations.formats.format import Format, Row
from distillations.formats.openai_chat import Strict
from distillations.formats.openai_dpo import OpenAIPair
from distillations.formats.sagemaker_chat import Text, texts


class Said(Strict):
    """An answer."""

    role: Literal["assistant"]
    content: str = Field(min_length=1)


type Answers = Annotated[list[Said], Field(min_length=1, max_length=1)]


class PreferenceRow(Strict):
    """A row: texts that ask, and both answers."""

    prompt: list[Text] = Field(min_length=1)
    chosen: Answers
    rejected: Answers

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.prompt[-1].role == "assistant":
            raise ValueError("the prompt ends with an answer")
        return self


def preference(pair: Row) -> Row:
    """The row of a pair. Raises Unwritable."""
    asked = pair["input"]
    return {
        "prompt": texts(asked["messages"], asked),
        "chosen": texts(pair["preferred_output"], asked),
        "rejected": texts(pair["non_preferred_output"], asked),
    }


FORMAT = Format(example=OpenAIPair, row=PreferenceRow, written=preference)
