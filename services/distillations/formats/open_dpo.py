"""What the preference formats of hosted trainers of open models have in common: OpenAI's shape, of strings alone."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from distillations.formats.open_chat import refuse_other_turns, refuse_parts
from distillations.formats.openai_dpo import OpenAIPair


class ChatPair(OpenAIPair):
    """A pair of strings."""

    @model_validator(mode="after")
    def _is_of_strings(self) -> Self:
        for output in (self.preferred_output, self.non_preferred_output):
            refuse_parts([*self.input.messages, *output])
        return self


class AlternatingPair(ChatPair):
    """A pair of strings whose conversation the user begins, and in which user and assistant take turns."""

    @model_validator(mode="after")
    def _takes_turns(self) -> Self:
        refuse_other_turns([*self.input.messages, *self.preferred_output])
        return self
