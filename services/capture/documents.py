"""The bodies and answers of pushes for the description of the API. The ingest does not import them, to start sooner."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from completions.captured_alias import CapturedAlias
from completions.completion import Metadata
from foundation.document import Document


class PushedRecord(BaseModel):
    """A completion made elsewhere: a chat completion, or a response of the Responses API."""

    request: dict[str, Any]
    """What was sent to the provider, as it was sent."""
    response: dict[str, Any]
    """What the provider answered. A failed call has `{"error": …}`."""
    metadata: Metadata | None = None
    """Tags to find it by."""
    reference: Any = None
    """The known right answer. It is never trained on."""
    created: int | None = None
    """Seconds UTC; absent, that of the response."""
    latency_ms: int | None = None
    """How long the answer took."""
    provider: str | None = None
    """Who answered."""
    origin: str | None = None
    """Where it was imported from."""
    original: dict[str, Any] | None = None
    """Of an exported record: the `request`, the `response` and the `input_items` of the response that it once was."""
    untrainable: str | None = None
    """Of an exported record: why it is in no training set."""
    alias: CapturedAlias | None = None
    """The alias that it was asked by."""


type Pushes = PushedRecord | list[PushedRecord]


class Renamed(Document):
    """A completion whose id another one has: it is kept under an id of its own."""

    id: str
    origin_id: str
    """The id that it came with."""


class Refused(Document):
    """A record that was not accepted, and why."""

    index: int
    """Its place in the push, from 0."""
    message: str
    type: str
    param: str | None
    """The field that is wrong."""
    code: str | None


class Capture(Document):
    """A push that is durable."""

    object: Literal["capture"] = "capture"
    batch_id: str
    """Whose status GET /v1/captures/{batch_id} tells."""
    accepted: int
    """How many records were accepted, each once; one that Stillhouse has already is accepted again."""
    ids: list[str]
    """The ids of their completions."""
    renamed: list[Renamed]
    refused: list[Refused]
    duplicates: int
    """How many records are the same as another one of this push."""


class CaptureStatus(Document):
    """How far a push is."""

    object: Literal["capture"] = "capture"
    batch_id: str
    status: Literal["pending", "recorded"]
    """`recorded` once every completion of the push can be read."""
    parts_recorded: int
    """How many of the parts of a large push can be read."""
