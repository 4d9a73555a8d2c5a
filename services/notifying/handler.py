"""Entry point: record what has happened, and deliver it to each channel."""

from __future__ import annotations

from typing import Any

from foundation.alarms import AlarmStateChange
from foundation.consumer import consume
from foundation.events import (
    DeliverEvent,
    Delivery,
    DistillationBlocked,
    DistillationFailed,
    VerdictDecided,
)
from foundation.notice_messages import AlertRaised, DeliverNotice
from notifying.deliver import deliver, give_up
from notifying.notify import (
    complete_untold,
    notify_alarm,
    notify_alert,
    notify_blocked,
    notify_event,
    notify_failed,
    notify_verdict,
)


def entry(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives it
    return consume(event, _handle, _give_up)


def _handle(delivery: Delivery) -> None:
    match delivery:
        case DeliverNotice():
            deliver(delivery)
        case DeliverEvent():
            notify_event(delivery)
        case VerdictDecided(distillation_id=distillation_id):
            notify_verdict(distillation_id)
        case DistillationBlocked(distillation_id=distillation_id):
            notify_blocked(distillation_id)
        case DistillationFailed(distillation_id=distillation_id):
            notify_failed(distillation_id)
        case AlarmStateChange():
            notify_alarm(delivery)
        case AlertRaised(alert_id=alert_id):
            notify_alert(alert_id)
        case _:
            raise TypeError(f"notifying takes no {type(delivery).__name__}")


def _give_up(delivery: Delivery, reason: str) -> None:
    match delivery:
        case VerdictDecided(distillation_id=distillation_id):
            complete_untold(distillation_id)
        case DeliverNotice():
            give_up(delivery, reason)
