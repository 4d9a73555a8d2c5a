"""What the gateway reads of a request, as the description of the API has it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from completions.completion import Metadata


class ChatRequest(BaseModel):
    """A chat completion to be made. All other fields go to the provider as they are."""

    model_config = ConfigDict(extra="allow")

    model: str
    """A model's name, or `provider/model`."""
    messages: list[dict[str, Any]]
    """The conversation, in OpenAI's shape."""
    store: bool | None = None
    """Whether to capture the completion."""
    metadata: Metadata | None = None
    """Tags of the captured completion."""
    stream: bool | None = None
    """Whether to answer as server-sent events."""


class PassedRequest(BaseModel):
    """A request that goes to the model's provider as it is, with all its fields; the provider says what they are."""

    model_config = ConfigDict(extra="allow")

    model: str | None = None
    """A model's name, or `provider/model`. Without one the default provider is asked."""


class PassedForm(PassedRequest):
    """The same as a form, with its files."""
