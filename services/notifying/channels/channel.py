"""The seam of channels. In: a notice, and a channel of one type. Out: nothing once it was taken, else NotTaken."""

from __future__ import annotations

from typing import Protocol

from foundation.errors import StillhouseError
from notifications.channels import Channel
from notifications.notices import Notice


class NotTaken(StillhouseError):
    """The channel did not take a notice. The words are for people and say nothing of the URL.

    `for_good` is set where it says itself that it wants no more; `after_s` is the wait that it asks for, in seconds.
    """

    def __init__(self, message: str, *, for_good: bool = False, after_s: float = 0.0) -> None:
        super().__init__(message)
        self.for_good = for_good
        self.after_s = after_s


class Sender(Protocol):
    """One way to send notices. An error of another kind is a failure, too; the notice is sent again later."""

    def send(self, notice: Notice, channel: Channel) -> None:
        """Send it. Raises NotTaken."""
        ...
