"""The seam of channels. In: a notice and its recipients. Out: the recipients that took it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something that has happened, as channels tell it.

    `id` follows from what has happened, so that a receiver recognises a repetition. `type` is `verdict`, `blocked`,
    `failed` or the type of a webhook event. `body` is the JSON for programs. `sentence` and `text` are for people, in
    one line and whole; both are empty where only programs are to be notified.
    """

    id: str
    type: str
    body: dict[str, Any]
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
