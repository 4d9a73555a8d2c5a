"""SageMaker's `dpo`, for Amazon Nova: the turns of Converse, the last one with two candidates."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from distillations.formats.bedrock_conversation import (
    Block,
    Blocks,
    Turn,
    document,
    refuse_other_turns,
    refuse_reserved,
)
from distillations.formats.format import Format, Row
from distillations.formats.openai_chat import Strict
from distillations.formats.openai_dpo import OpenAIPair

_LABELS = ("preferred", "non-preferred")


class Candidate(Strict):
    """An answer, and which of both it is."""

    content: Blocks
    preferenceLabel: Literal["preferred", "non-preferred"]  # noqa: N815 - AWS's name


class Candidates(Strict):
    """The last turn: both answers."""

    role: Literal["assistant"]
    candidates: Annotated[list[Candidate], Field(min_length=2)]


class CandidatesRow(Strict):
    """A row: the system's texts, the turns, and the candidates for the last of them."""

    schemaVersion: Literal["bedrock-conversation-2024"] | None = None  # noqa: N815 - AWS's name
    system: Blocks | None = None
    messages: list[Turn | Candidates] = Field(min_length=2)

    @model_validator(mode="after")
    def _ends_with_candidates(self) -> Self:
        *before, last = self.messages
        if not isinstance(last, Candidates) or any(isinstance(turn, Candidates) for turn in before):
            raise ValueError("the last turn, and no other, must have the candidates")
        if {candidate.preferenceLabel for candidate in last.candidates} != set(_LABELS):
            raise ValueError("one candidate must be preferred and another one not")
        refuse_other_turns([turn.role for turn in self.messages])
        refuse_reserved([*(self.system or ()), *_texts_of_user(before)])
        return self


def _texts_of_user(turns: list[Turn | Candidates]) -> list[Block]:
    return [block for turn in turns if isinstance(turn, Turn) and turn.role == "user" for block in turn.content]


def candidates(pair: Row) -> Row:
    """The row of a pair. Raises Unwritable."""
    asked = pair["input"]
    outputs = (pair["preferred_output"], pair["non_preferred_output"])
    rows = [document([*asked["messages"], *output], asked) for output in outputs]
    labelled = [
        {"content": row["messages"][-1]["content"], "preferenceLabel": label}
        for row, label in zip(rows, _LABELS, strict=True)
    ]
    turns = [*rows[0]["messages"][:-1], {"role": "assistant", "candidates": labelled}]
    return {**rows[0], "messages": turns}


FORMAT = Format(example=OpenAIPair, row=CandidatesRow, written=candidates)
