"""The message that carries captured completions to the recorder; `events` has it with the others."""

from __future__ import annotations

import base64
from typing import ClassVar, Literal, Self

from pydantic import ConfigDict, field_serializer, model_validator

from foundation.message import Message


class RecordCompletions(Message):
    """Write these captured completions to S3 and the index.

    They are one of the `parts` of the pushed batch `batch_id`, as zstd-compressed NDJSON: inline in `records`, or in
    the bucket at `key`. Exactly one of the two is given.
    """

    model_config = ConfigDict(val_json_bytes="base64")

    QUEUE: ClassVar[str] = "RECORD_QUEUE_URL"
    ABOUT: ClassVar[str] = "batch_id"

    type: Literal["RecordCompletions"] = "RecordCompletions"
    batch_id: str
    part: int
    parts: int
    records: bytes | None = None
    key: str | None = None

    @field_serializer("records", when_used="json-unless-none")
    def _in_base64(self, records: bytes) -> str:
        """In the alphabet in which the ingest writes them; pydantic's own is the other one."""
        return base64.b64encode(records).decode()

    @model_validator(mode="after")
    def _has_a_body(self) -> Self:
        if (self.records is None) == (self.key is None):
            raise ValueError("give either records or key")
        return self
