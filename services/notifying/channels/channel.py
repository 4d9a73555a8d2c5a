"""The seam to whoever is told: a notice in, the recipients that took it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something that has happened, as channels tell it.

    The same happening has the same `id`, so that who is told twice can tell. `type` is `verdict`, `blocked`, `failed`
    or the type of a webhook event. `body` is the JSON for programs. `sentence` and `text` are for people, in one line
    and whole; both are empty where programs alone are told.
    """

    id: str
    type: str
    body: dict[str, Any]
    sentence: str = ""
    text: str = ""


class Recipient(Protocol):
    """Who is told by a channel: the row that says so is named by this id."""

    @property
    def id(self) -> str: ...


class Channel[To: Recipient](Protocol):
    """One way to tell. What it raises is the failure of this channel alone, and is tried again."""

    def recipients(self, notice: Notice) -> list[To]:
        """Who is to be told of this; nobody where it is not for this channel."""
        ...

    def send(self, notice: Notice, recipients: Sequence[To]) -> list[To]:
        """Send it to these, and return those that took it."""
        ...
