"""The seam of channels. In: a notice and its recipients. Out: the recipients that took it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A notification as channels send it.

    `id` is derived from the event, so that a receiver recognises a repetition. `type` is that of the event, `object_id`
    is the object that it is about, and `at` is its time in seconds since the epoch. `sentence` (one line) and `text`
    are for people, and `document` says the same as JSON; all three are empty if only a webhook event is to be sent.
    """

    id: str
    type: str
    object_id: str
    at: int
    document: dict[str, Any] = field(default_factory=dict)
    sentence: str = ""
    text: str = ""


class Recipient(Protocol):
    """Somebody that a channel sends to. The row that records a delivery is named by the recipient's id."""

    @property
    def id(self) -> str: ...


class Channel[To: Recipient](Protocol):
    """One way to send notices. An exception is the failure of this channel alone; the notice is sent again later."""

    def recipients(self, notice: Notice) -> list[To]:
        """The recipients of this notice; none if the channel does not carry notices of its type."""
        ...

    def send(self, notice: Notice, recipients: Sequence[To]) -> list[To]:
        """Send it to these, and return those that took it."""
        ...
