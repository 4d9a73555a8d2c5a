"""What the formats of hosted trainers of open models have in common: conversations as their chat templates take them.

The rules are those of the trainers' pages on data: content is a string, the system's message
stands first and alone, tools are offered and called as at OpenAI. A message with `weight` 0 is context.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Self

from pydantic import model_validator

from distillations.formats.openai_chat import Message, OpenAIExample

_FOLLOWING = {
    "user": {"assistant"},
    "assistant": {"user", "tool"},
    "tool": {"assistant", "tool"},
}


class ChatExample(OpenAIExample):
    """A conversation of strings."""

    @model_validator(mode="after")
    def _is_of_strings(self) -> Self:
        refuse_parts(self.messages)
        return self


class AlternatingExample(ChatExample):
    """A conversation of strings that the user begins, in which user and assistant take turns."""

    @model_validator(mode="after")
    def _takes_turns(self) -> Self:
        refuse_other_turns(self.messages)
        return self


def refuse_parts(messages: Sequence[Message]) -> None:
    """Raises where a message is none that a chat template takes."""
    for number, message in enumerate(messages):
        if message.role == "developer":
            raise ValueError("the role 'developer' is OpenAI's own: write the message as the system's")
        if message.role == "system" and number:
            raise ValueError("a system message is taken at the beginning only, and only one")
        if message.content is not None and not isinstance(message.content, str):
            raise ValueError("content must be a string: leave rows with parts or images out of the training set")


def refuse_other_turns(messages: Sequence[Message]) -> None:
    """Raises where the user does not begin, or user and assistant do not take turns."""
    roles = [message.role for message in messages if message.role != "system"]
    if not roles or roles[0] != "user":
        raise ValueError("the first turn must be the user's")
    for before, after in pairwise(roles):
        if after not in _FOLLOWING[before]:
            raise ValueError(f"user and assistant must take turns: '{after}' follows '{before}'")
