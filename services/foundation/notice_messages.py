"""The messages that have an alert told and a notice delivered."""

from __future__ import annotations

from typing import ClassVar, Literal

from foundation.message import BACK, Message, Postponable


class AlertRaised(Message):
    """People are to be told of this alert: something that costs money, or soon will fail, needs their decision."""

    QUEUE: ClassVar[str] = "NOTIFY_QUEUE_URL"
    ABOUT: ClassVar[str] = "alert_id"

    type: Literal["AlertRaised"] = "AlertRaised"
    alert_id: str


class DeliverNotice(Postponable):
    """Deliver this notice to this channel; it is put back until the channel has taken it, or it is given up.

    `attempt` counts the attempts before this one: a copy that comes when there were more makes none.

    Before `not_before`, in seconds since the epoch, it is put back without an attempt: SQS delays by 15 minutes.
    """

    QUEUE: ClassVar[str] = "NOTIFY_QUEUE_URL"
    ABOUT: ClassVar[str] = "notice_id"

    type: Literal["DeliverNotice"] = "DeliverNotice"
    notice_id: str
    channel_id: str
    attempt: int = 0
    not_before: int = 0

    @property
    def place(self) -> tuple[str, str]:
        return f"NOTICE#{self.notice_id}", f"{BACK}{self.channel_id}"
