"""The channels by which notices go out. To add one: a module with a class of the seam, and a line here."""

from __future__ import annotations

from notifying.channels.channel import NotTaken, Sender
from notifying.channels.email import Email
from notifying.channels.slack import Slack
from notifying.channels.webhook import Webhooks

CHANNELS: dict[str, Sender] = {
    "email": Email(),
    "slack": Slack(),
    "webhook": Webhooks(),
}

__all__ = ["CHANNELS", "NotTaken", "Sender"]
