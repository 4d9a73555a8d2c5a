"""A training example as the chat templates of open models take it: the checks of hosted trainers beside OpenAI.

In: a line of a training file in OpenAI's format. Out: the same, or pydantic's ValidationError that says what such a
trainer would refuse. The rules are those of the trainers' pages on data: content is a string, the system's message
stands first and alone, tools are offered and called as at OpenAI. A message with `weight` 0 is context.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Self

from pydantic import model_validator

from distillations.supervised import OpenAIExample

_FOLLOWING = {
    "user": {"assistant"},
    "assistant": {"user", "tool"},
    "tool": {"assistant", "tool"},
}


class ChatExample(OpenAIExample):
    """A conversation of strings."""

    @model_validator(mode="after")
    def _is_of_strings(self) -> Self:
        for number, message in enumerate(self.messages):
            if message.role == "developer":
                raise ValueError("the role 'developer' is OpenAI's own: write the message as the system's")
            if message.role == "system" and number:
                raise ValueError("a system message is taken at the beginning only, and only one")
            if message.content is not None and not isinstance(message.content, str):
                raise ValueError("content must be a string: leave rows with parts or images out of the training set")
        return self


class AlternatingExample(ChatExample):
    """A conversation of strings that the user begins, in which user and assistant take turns."""

    @model_validator(mode="after")
    def _takes_turns(self) -> Self:
        roles = [message.role for message in self.messages if message.role != "system"]
        if not roles or roles[0] != "user":
            raise ValueError("the first turn must be the user's")
        for before, after in pairwise(roles):
            if after not in _FOLLOWING[before]:
                raise ValueError(f"user and assistant must take turns: '{after}' follows '{before}'")
        return self
