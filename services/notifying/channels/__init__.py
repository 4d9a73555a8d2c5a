"""The channels by which notices go out. To add one: a module with a class of the seam, and a line here."""

from __future__ import annotations

from typing import Any

from notifying.channels.channel import Channel, Notice, Recipient
from notifying.channels.sns import SnsTopic
from notifying.channels.webhook import Webhooks

CHANNELS: dict[str, Channel[Any]] = {
    "sns": SnsTopic(),
    "webhook": Webhooks(),
}

__all__ = ["CHANNELS", "Channel", "Notice", "Recipient"]
