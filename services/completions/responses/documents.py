"""A response and its items for the description of the API. They have further fields, as OpenAI documents them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from foundation.document import Document


class ResponseDocument(Document):
    """A response. It has the fields of `openai.types.responses.Response`; these are the ones that matter here."""

    model_config = ConfigDict(extra="allow")

    id: str
    object: Literal["response"] = "response"
    created_at: float
    """Seconds UTC."""
    status: str | None = None
    """`completed`, `incomplete` or `failed`."""
    error: dict[str, Any] | None = None
    """Why it failed."""
    incomplete_details: dict[str, Any] | None = None
    """Why it is incomplete: `{"reason": "max_output_tokens"}` or `content_filter`."""
    model: str
    output: list[dict[str, Any]]
    """Items in OpenAI's shape: messages, calls, reasoning."""
    usage: dict[str, Any] | None = None
    """The tokens that the provider counted, if it did."""
    previous_response_id: str | None = None
    """The response that it goes on from."""
    metadata: dict[str, str] | None = None
    """Its tags."""
    store: bool | None = None
    """Whether it was captured."""


class InputItem(Document):
    """An item that a response answers, in OpenAI's shape."""

    model_config = ConfigDict(extra="allow")

    id: str
    """Its own id, or the response's with the item's number."""
    type: str
    """`message`, `function_call`, `function_call_output`, …"""
