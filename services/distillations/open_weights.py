"""A training example as SageMaker's open models take it: its check, and its line.

In: a line of a training file in OpenAI's format. Out: a line of `{"messages"}` whose contents are texts, of the roles
system, user and assistant. Fails with pydantic's ValidationError, which says what has no counterpart.
"""

from __future__ import annotations

from typing import Any, Self

import orjson
from pydantic import model_validator

from distillations.supervised import OpenAIExample

_ROLES = {"developer": "system"}


class OpenWeightsExample(OpenAIExample):
    """A conversation of texts that ends with the answer to learn."""

    @model_validator(mode="after")
    def _has_a_counterpart(self) -> Self:
        messages = self.model_dump(exclude_none=True)["messages"]
        if self.tools or any(message["role"] == "tool" or "tool_calls" in message for message in messages):
            raise ValueError("SageMaker's schema has no tools: leave rows with tools out of the training set")
        if any(message.get("weight") == 0 for message in messages):
            raise ValueError("SageMaker's schema trains on every answer: weight 0 has no counterpart")
        if any("name" in message for message in messages):
            raise ValueError("SageMaker's schema has no names of speakers")
        if any(part["type"] != "text" for message in messages for part in _parts(message["content"])):
            raise ValueError("SageMaker's schema has texts alone: leave rows with images out of the training set")
        return self


def open_weights_line(line: dict[str, Any]) -> bytes:
    """The line for SageMaker of a line that is an `OpenWeightsExample`, without its end."""
    messages = [
        {"role": _ROLES.get(message["role"], message["role"]), "content": _text(message["content"])}
        for message in line["messages"]
    ]
    return orjson.dumps({"messages": messages})


def _parts(content: Any) -> list[dict[str, Any]]:
    return content if isinstance(content, list) else []


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(part["text"] for part in content)
