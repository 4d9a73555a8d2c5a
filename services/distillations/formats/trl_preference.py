"""TRL's conversational format of preference training, as `datasets` reads it: `prompt`, `chosen` and `rejected`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from distillations.formats.format import Format, Row
from distillations.formats.openai_chat import OfferedTool, Strict
from distillations.formats.openai_dpo import OpenAIPair
from distillations.formats.trl_messages import Turn, tools_of, turn

type Answers = Annotated[list[Turn], Field(min_length=1, max_length=1)]


class PreferenceRow(Strict):
    """A row: what was asked, both answers, and the tools."""

    prompt: list[Turn] = Field(min_length=1)
    chosen: Answers
    rejected: Answers
    tools: list[OfferedTool] | None = None


def preference(pair: Row) -> Row:
    """The row of a pair. Raises Unwritable."""
    asked = pair["input"]
    return {
        "prompt": [turn(message) for message in asked["messages"]],
        "chosen": [turn(message) for message in pair["preferred_output"]],
        "rejected": [turn(message) for message in pair["non_preferred_output"]],
        **tools_of(asked),
    }


FORMAT = Format(example=OpenAIPair, row=PreferenceRow, written=preference)
