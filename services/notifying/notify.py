"""Notify people and programs of a run that ended, a verdict, a distillation that is blocked or failed, an alert.

In: the message. Out: a notice through every channel. Raises RetryLater while a recipient lacks it. A distillation is
completed as soon as the first recipient has its verdict, so that a channel that never works does not hold it up.
"""

from __future__ import annotations

from distillations import telling
from distillations.distillation import Distillation
from distillations.telling import Notification
from distillations.verdict import Verdict
from foundation import bus
from foundation.events import AdvanceDistillation, DeliverEvent
from foundation.ids import now
from notifications.alerts import Alert
from notifications.endpoints import event_id
from notifying.channels import Notice
from notifying.deliver import deliver


def notify_event(message: DeliverEvent) -> None:
    """Tell the programs that ask for events of this type."""
    notice = Notice(
        id=event_id(message.event_type, message.object_id),
        type=message.event_type,
        object_id=message.object_id,
        at=message.at // 1000,
    )
    deliver(notice).require_all()


def notify_verdict(distillation_id: str) -> None:
    """Tell of the verdict, record when people were first told, and have the distillation completed."""
    distillation = Distillation.load(distillation_id)
    if distillation.status == "cancelled":
        return
    verdict = Verdict.load(distillation.verdict_id)
    deliveries = deliver(notice_of(telling.of_verdict(verdict)))
    if deliveries.done or not deliveries.missing:
        _complete(verdict)
    deliveries.require_all()


def complete_untold(distillation_id: str) -> None:
    """Have a decided distillation completed though nobody could be told of its verdict."""
    verdict = Verdict.find(Distillation.load(distillation_id).verdict_id)
    if verdict and verdict.notified_at is None:
        _complete(verdict)


def _complete(verdict: Verdict) -> None:
    verdict.change({"notified_at": now()}, where={"notified_at": None})
    advance = AdvanceDistillation(distillation_id=verdict.distillation_id)
    bus.send(advance)


def notify_blocked(distillation_id: str) -> None:
    deliver(notice_of(telling.of_blocked(Distillation.load(distillation_id)))).require_all()


def notify_failed(distillation_id: str) -> None:
    deliver(notice_of(telling.of_failed(Distillation.load(distillation_id)))).require_all()


def notify_alert(alert_id: str) -> None:
    """Tell of an alert, unless everybody has it."""
    alert = Alert.load(alert_id)
    if alert.told_at is None:
        deliver(_notice_of_alert(alert)).require_all()
        alert.change({"told_at": now()})


def _notice_of_alert(alert: Alert) -> Notice:
    return Notice(
        id=event_id(alert.type, alert.id),
        type=alert.type,
        object_id=alert.object_id,
        at=alert.created_at,
        document=alert.model_dump(mode="json", exclude={"created_at", "told_at"}),
        sentence=alert.sentence,
        text="\n".join([alert.sentence, "", *alert.lines, "", f"message {alert.id}"]),
    )


def notice_of(notification: Notification) -> Notice:
    """A notification as channels take it; as an event it is about the distillation."""
    event_type = f"distillation.{notification.type}"
    return Notice(
        id=event_id(event_type, notification.id),
        type=event_type,
        object_id=notification.distillation_id,
        at=notification.at,
        document=notification.document(),
        sentence=notification.sentence,
        text=notification.text(),
    )
