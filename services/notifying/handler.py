"""Entry point: notify people and programs of ended runs, verdicts, blocked or failed distillations, and alerts."""

from __future__ import annotations

from typing import Any

from foundation.consumer import consume
from foundation.events import (
    AlertRaised,
    DeliverEvent,
    Delivery,
    DistillationBlocked,
    DistillationFailed,
    VerdictDecided,
)
from notifying.notify import (
    complete_untold,
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
        case DeliverEvent():
            notify_event(delivery)
        case VerdictDecided(distillation_id=distillation_id):
            notify_verdict(distillation_id)
        case DistillationBlocked(distillation_id=distillation_id):
            notify_blocked(distillation_id)
        case DistillationFailed(distillation_id=distillation_id):
            notify_failed(distillation_id)
        case AlertRaised(alert_id=alert_id):
            notify_alert(alert_id)
        case _:
            raise TypeError(f"notifying takes no {type(delivery).__name__}")


def _give_up(delivery: Delivery, reason: str) -> None:  # noqa: ARG001 - what failed is in the log
    if isinstance(delivery, VerdictDecided):
        complete_untold(delivery.distillation_id)
