"""Other instructions in the place of a conversation's own.

In: chat messages, and a text. Out: the messages without those of system and developer, the text as the system's before
them. A training line is made so, and so is the request with which the trained model is asked.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from foundation.bounds import Text

_INSTRUCTIONS = ("system", "developer")


class SystemPrompt(BaseModel):
    """The instructions of every request, in place of those that a row has."""

    model_config = ConfigDict(extra="forbid")

    text: Text | None = None
    """Null for none."""


def instructed(messages: list[dict[str, Any]], text: str | None) -> list[dict[str, Any]]:
    """The messages under these instructions."""
    rest = [message for message in messages if message.get("role") not in _INSTRUCTIONS]
    return [{"role": "system", "content": text}, *rest] if text else rest
