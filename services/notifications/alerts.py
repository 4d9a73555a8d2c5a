"""Alerts: what people must decide about before it costs money or fails, told once through every channel.

In: what has come up. Out: an alert, whose id follows from its cause: a cause that comes up again makes no second one.
`raising` has it delivered.
"""

from __future__ import annotations

from typing import ClassVar, Self

from foundation.ids import derived_id, now
from foundation.records import Record
from notifications.event_types import EventType


class Alert(Record):
    """Something that needs a decision: its event's type, the object that it is about, and the words for people."""

    KIND: ClassVar[str] = "ALERT"
    NAME: ClassVar[str] = "alert"

    type: EventType
    object_id: str
    sentence: str
    """What comes up, in one line."""
    lines: list[str]
    """What to do about it, and where it is said."""
    command: str = ""
    """What shows it in a terminal; empty for none."""
    told_at: int | None = None
    """When everybody had it, in seconds since the epoch."""

    @classmethod
    def of(
        cls, type_: EventType, object_id: str, *cause: str | int, sentence: str, lines: list[str], command: str = ""
    ) -> Self:
        """An alert whose id follows from its type, its object and `cause`: what makes it another one."""
        alert_id = derived_id("alert_", type_, object_id, *cause)
        said = {"sentence": sentence, "lines": lines, "command": command}
        return cls(id=alert_id, created_at=now(), type=type_, object_id=object_id, **said)
