"""What S3 says of new objects in the bucket, as SQS carries it."""

from __future__ import annotations

from typing import Literal
from urllib.parse import unquote_plus

from pydantic import BaseModel, Field


class _Bucketed(BaseModel):
    key: str


class _S3Part(BaseModel):
    object: _Bucketed


class _S3Record(BaseModel):
    s3: _S3Part


class ObjectsLanded(BaseModel):
    """S3's notification of new objects, as SQS carries it."""

    Records: list[_S3Record] = Field(min_length=1)

    @property
    def keys(self) -> list[str]:
        """The new objects' keys; S3 sends them URL-encoded."""
        return [unquote_plus(record.s3.object.key) for record in self.Records]


class TestEvent(BaseModel):
    """The test message that S3 sends once when a notification is configured. Consumers acknowledge and ignore it."""

    Event: Literal["s3:TestEvent"]
