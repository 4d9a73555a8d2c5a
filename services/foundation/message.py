"""What all messages that cross the queues have in common; `events.py` has the messages."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from foundation.ids import new_id, now_ms

BACK = "BACK#"
"""How the sort keys begin under which it is counted how often a message was put back."""


class Message(BaseModel):
    """The fields that every message has.

    `at` is when it was made, in milliseconds since the epoch. `correlation_id` is the id of the object that a chain of
    messages is about; if the sender gives none, it is the value of the field that `ABOUT` names. `QUEUE` is the name of
    the setting that holds the URL of the message's queue.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    QUEUE: ClassVar[str]
    ABOUT: ClassVar[str]

    event_id: str = Field(default_factory=lambda: new_id("evt_"))
    at: int = Field(default_factory=now_ms)
    correlation_id: str = ""

    @model_validator(mode="before")
    @classmethod
    def _correlate(cls, fields: Any) -> Any:
        if isinstance(fields, dict) and not fields.get("correlation_id"):
            return {**fields, "correlation_id": fields.get(cls.ABOUT, "")}
        return fields

    def to_json(self) -> str:
        return self.model_dump_json(exclude_none=True)


class Postponable(Message):
    """Work that its consumer may put back into the queue for later (`later`); `put_back` counts how often it did."""

    put_back: int = 0

    @property
    def place(self) -> tuple[str, str]:
        """Partition and sort key of the row that holds the same count, so that a doubled message is noticed."""
        raise NotImplementedError


class ToTrainer(Postponable):
    """What a trainer is asked for: `away_since` is when it stopped answering, in seconds since the epoch, or 0."""

    ASKS: ClassVar[str]

    away_since: int = 0

    @property
    def place(self) -> tuple[str, str]:
        return getattr(self, self.ABOUT), f"{BACK}{self.ASKS}"
