"""Raise an alert: write it once, and have it delivered until everybody has it."""

from __future__ import annotations

from foundation import bus
from foundation.notice_messages import AlertRaised
from notifications.alerts import Alert


def raise_once(alert: Alert) -> bool:
    """Have people told, unless they were told of the same cause before. Returns whether it is sent now."""
    alert.create()
    if Alert.load(alert.id).told_at is not None:
        return False
    message = AlertRaised(alert_id=alert.id)
    bus.send(message)
    return True
