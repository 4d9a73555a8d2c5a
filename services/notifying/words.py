"""The words about events that come without any: a run or a job that has ended, an alarm of the stack.

In: the message. Out: a notice.
"""

from __future__ import annotations

from evals.run import Run
from foundation.alarms import AlarmStateChange
from foundation.events import DeliverEvent
from foundation.wording import counted
from notifications.channels import event_id
from notifications.notices import Notice
from notifications.pages import page_of

_OBJECTS = {"eval.run": "The eval run", "fine_tuning.job": "The fine-tuning job"}


def of_event(message: DeliverEvent) -> Notice:
    """That something has ended, named by the type of the event."""
    kind, _, ending = message.event_type.rpartition(".")
    run = Run.find(message.object_id) if kind == "eval.run" else None
    name = f" ({run.name})" if run else ""
    sentence = f"{_OBJECTS.get(kind, kind)} {message.object_id}{name} {_ENDINGS.get(ending, ending)}."
    return Notice(
        id=event_id(message.event_type, message.object_id),
        type=message.event_type,
        object_id=message.object_id,
        at=message.at // 1000,
        sentence=sentence,
        lines=_counts(run) if run else [],
        url=_page(message, run),
        document={"type": message.event_type, "id": message.object_id, "sentence": sentence},
    )


def of_alarm(changed: AlarmStateChange) -> Notice:
    """That CloudWatch has raised an alarm of the stack."""
    alarm = changed.detail
    sentence = alarm.configuration.description or f"The alarm {alarm.alarm_name} is raised."
    return Notice(
        id=event_id("stack.alarm", changed.id),
        type="stack.alarm",
        object_id=alarm.alarm_name,
        at=int(changed.time.timestamp()),
        sentence=sentence,
        lines=[alarm.state.reason] if alarm.state.reason else [],
        url=page_of("stack.alarm", alarm.alarm_name),
        command="stillhouse doctor",
        document={"type": "alarm", "id": changed.id, "alarm": alarm.alarm_name, "sentence": sentence},
    )


def _page(message: DeliverEvent, run: Run | None) -> str:
    """The run's page, or the list of its kind; none for a run that was deleted since."""
    if message.event_type.startswith("eval.run"):
        return page_of(message.event_type, f"{run.eval_id}/runs/{run.id}") if run else ""
    return page_of(message.event_type, message.object_id)


def _counts(run: Run) -> list[str]:
    counts = run.result_counts
    return [
        f"{counts.passed} passed, {counts.failed} failed, {counts.errored} errored of {counted(counts.total, 'row')}"
    ]


_ENDINGS = {
    "succeeded": "has succeeded",
    "failed": "has failed",
    "canceled": "was canceled",
    "cancelled": "was cancelled",
}
