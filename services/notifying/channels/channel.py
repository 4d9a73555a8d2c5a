"""The seam of channels. In: a notice and its recipients. Out: the recipients that took it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something that has happened, as channels tell it.

    `id` follows from what has happened, so that a receiver recognises a repetition. `type` is that of the event, and
    `object_id` what it is about; `at` is when it happened, in seconds since the epoch. `sentence` and `text` are for
    people, in one line and whole, and `document` is the same as JSON; all three are empty where only events go out.
    """

    id: str
    type: str
    object_id: str
    at: int
    document: dict[str, Any] = field(default_factory=dict)
    sentence: str = ""
    text: str = ""


class Recipient(Protocol):
    """One that a channel sends to; its id names the row of the delivery."""

    @property
    def id(self) -> str: ...


class Channel[To: Recipient](Protocol):
    """One way to send notices. An exception is the failure of this channel alone; the notice is sent again later."""

    def recipients(self, notice: Notice) -> list[To]:
        """Those whom this notice is for; none where this channel does not carry such notices."""
        ...

    def send(self, notice: Notice, recipients: Sequence[To]) -> list[To]:
        """Send it to these, and return those that took it."""
        ...
