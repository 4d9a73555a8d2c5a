"""What the gateway reads of a request, as the description of the API has it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from completions.completion import Metadata

ERRORS = {
    404: "No provider has this model.",
    409: "The provider says that the request conflicts with another one.",
    422: "The provider cannot make sense of the request. Its other refusals come with their own status, too.",
    429: "The provider asks to wait.",
    502: "The provider cannot be reached, or answers what is no answer.",
    504: "The provider takes more than the 28 seconds of this URL; the message names one with 15 minutes.",
}
"""What the statuses of a refused call mean."""


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


class ResponseRequest(BaseModel):
    """A response to be made. All other fields of OpenAI's request are taken, too."""

    model_config = ConfigDict(extra="allow")

    model: str
    """A model's name, or `provider/model`."""
    input: str | list[dict[str, Any]] | None = None
    """A text, or the items of the conversation, in OpenAI's shape."""
    instructions: str | None = None
    """What the model is told before the input."""
    previous_response_id: str | None = None
    """A captured response that this one goes on from."""
    store: bool | None = None
    """Whether to capture the response; true if neither body, header nor key say otherwise."""
    metadata: Metadata | None = None
    """Tags of the captured response."""
    stream: bool | None = None
    """Whether to answer as server-sent events."""


class PassedRequest(BaseModel):
    """A request that goes to the model's provider as it is, with all its fields; the provider says what they are."""

    model_config = ConfigDict(extra="allow")

    model: str | None = None
    """A model's name, or `provider/model`. Without one the default provider is asked."""


class PassedForm(PassedRequest):
    """The same as a form, with its files."""
