"""What is asked of rollouts, and the captured completions that landed, as EventBridge hands them to a queue."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from foundation.bounds import CutName
from foundation.message import Message


class AdvanceRollout(Message):
    """Something that this rollout waits for has changed: read its rows and take the steps that are due.

    `resend` asks to send again, too, what it waits for, and to switch on what brings events: these may be lost.
    """

    QUEUE: ClassVar[str] = "ROLLOUT_QUEUE_URL"
    ABOUT: ClassVar[str] = "rollout_id"

    type: Literal["AdvanceRollout"] = "AdvanceRollout"
    rollout_id: str
    resend: bool = False


class LookAtRollouts(Message):
    """A minute has passed: take the steps of all open rollouts that time alone makes due. The clock sends it."""

    QUEUE: ClassVar[str] = "ROLLOUT_QUEUE_URL"
    ABOUT: ClassVar[str] = "type"

    type: Literal["LookAtRollouts"] = "LookAtRollouts"


class _Key(BaseModel):
    key: str


class _Detail(BaseModel):
    object: _Key


class ObjectCreated(BaseModel):
    """EventBridge's message that an object was written. `id` is the same whenever it is delivered."""

    id: CutName
    source: Literal["aws.s3"]
    kind: Literal["Object Created"] = Field(alias="detail-type")
    detail: _Detail

    @property
    def key(self) -> str:
        """The object's key, which EventBridge, unlike S3's own notifications, does not encode."""
        return self.detail.object.key
