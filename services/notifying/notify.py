"""Notify people and programs of what has happened: it is recorded once, and every channel that asks for it is told.

In: the message. Out: a notice, and a `DeliverNotice` for each channel, which is delivered, tried again and given up by
itself. A distillation is completed as soon as its verdict is handed to the channels: none of them holds it up.
"""

from __future__ import annotations

from distillations import telling
from distillations.distillation import Distillation
from distillations.telling import Notification
from distillations.verdict import Verdict
from foundation import bus
from foundation.alarms import AlarmStateChange
from foundation.events import AdvanceDistillation, DeliverEvent
from foundation.ids import now
from notifications.alerts import Alert
from notifications.channels import event_id
from notifications.notices import Notice, record
from notifications.pages import page_of
from notifying import words


def notify_event(message: DeliverEvent) -> None:
    """Tell of a run or a job that has ended."""
    record(words.of_event(message))


def notify_alarm(changed: AlarmStateChange) -> None:
    """Tell of an alarm that was raised, if it is one of this stack."""
    if changed.is_own:
        record(words.of_alarm(changed))


def notify_verdict(distillation_id: str) -> None:
    """Tell of the verdict, record when that was, and have the distillation completed."""
    distillation = Distillation.load(distillation_id)
    if distillation.status == "cancelled":
        return
    verdict = Verdict.load(distillation.verdict_id)
    record(notice_of(telling.of_verdict(verdict)))
    _complete(verdict)


def complete_untold(distillation_id: str) -> None:
    """Have a decided distillation completed though its verdict could not be handed to the channels."""
    verdict = Verdict.find(Distillation.load(distillation_id).verdict_id)
    if verdict and verdict.notified_at is None:
        _complete(verdict)


def _complete(verdict: Verdict) -> None:
    verdict.change({"notified_at": now()}, where={"notified_at": None})
    advance = AdvanceDistillation(distillation_id=verdict.distillation_id)
    bus.send(advance)


def notify_blocked(distillation_id: str) -> None:
    record(notice_of(telling.of_blocked(Distillation.load(distillation_id))))


def notify_failed(distillation_id: str) -> None:
    record(notice_of(telling.of_failed(Distillation.load(distillation_id))))


def notify_alert(alert_id: str) -> None:
    """Tell of an alert, unless it was told before."""
    alert = Alert.load(alert_id)
    if alert.told_at is None:
        record(_notice_of_alert(alert))
        alert.change({"told_at": now()})


def _notice_of_alert(alert: Alert) -> Notice:
    return Notice(
        id=event_id(alert.type, alert.id),
        type=alert.type,
        object_id=alert.object_id,
        at=alert.created_at,
        sentence=alert.sentence,
        lines=alert.lines,
        url=page_of(alert.type, alert.object_id),
        command=alert.command,
        document=alert.model_dump(mode="json", exclude={"created_at", "told_at"}),
    )


def notice_of(notification: Notification) -> Notice:
    """A notification as channels take it; as an event it is about the distillation."""
    event_type = f"distillation.{notification.type}"
    return Notice(
        id=event_id(event_type, notification.id),
        type=event_type,
        object_id=notification.distillation_id,
        at=notification.at,
        sentence=notification.sentence,
        lines=notification.lines,
        url=notification.url,
        command=notification.command,
        document=notification.document(),
    )
