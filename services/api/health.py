"""Health: the queues and their dead letters, what is open and what it waits for, the alarms."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api import queues
from api.open_work import OpenWork, open_work
from api.queues import QueueHealth, Redrive
from foundation import aws
from foundation.alarms import is_of_this_stack
from foundation.document import Document
from foundation.errors import Conflict, NotFound
from foundation.ids import now
from foundation.routes import Routes
from foundation.settings import settings

router = Routes("Health")
_MOST_ALARMS = 100
_UNDER_WAY = frozenset({"RUNNING", "CANCELLING"})
_STATES: dict[str, Literal["ok", "alarm", "no_data"]] = {"OK": "ok", "ALARM": "alarm", "INSUFFICIENT_DATA": "no_data"}


class Alarm(Document):
    """An alarm of the stack."""

    name: str
    about: str
    """What it means that it is raised."""
    state: Literal["ok", "alarm", "no_data"]
    """`no_data` where CloudWatch has nothing yet to judge by."""
    since: int
    """Since when it is in this state, in seconds since the epoch."""


class Health(Document):
    """How the stack is now."""

    object: Literal["health"] = "health"
    at: int
    """When that was looked up, in seconds since the epoch."""
    queues: list[QueueHealth]
    open: list[OpenWork]
    """What is not at its end, at most 50 of a kind, what waits for something first."""
    more_open: bool
    """Whether more is open than is listed."""
    alarms: list[Alarm] = Field(default_factory=list)
    """Those that are raised first. Empty where the stack has none, as a local one without CloudWatch."""


@router.get("/v1/health", scope="admin")
def health() -> Health:
    """Show the queues with their dead letters and why these failed, what is open, and the alarms.

    Dead letters are looked at without being taken away. A look costs some calls of SQS and CloudWatch.
    """
    work, more = open_work()
    return Health(at=now(), queues=queues.every_queue(), open=work, more_open=more, alarms=_alarms())


@router.post(
    "/v1/health/<queue>/redrive",
    scope="admin",
    status=202,
    errors={409: "Dead letters of this queue are on their way back already, there are none, or this SQS moves none."},
)
def redrive(queue: str) -> Redrive:
    """Put the dead letters of a queue back into it, to be handled anew.

    SQS moves them one after the other. What still cannot be handled comes back after five deliveries.
    """
    if queue not in queues.names():
        raise NotFound("queue", queue[:256], param="queue")
    running = queues.last_move(queue)
    if running and running.status in _UNDER_WAY:
        raise queues.on_their_way()
    if not queues.dead_letters(queue):
        raise Conflict("This queue has no dead letters.", code="no_dead_letters")
    if not queues.put_back(queue):
        raise Conflict(
            "The SQS that this stack runs on cannot move messages, as that of AWS can: an emulator lacks it.",
            code="not_supported",
        )
    return queues.last_move(queue) or Redrive(status="RUNNING", moved=0, started_at=now())


def _alarms() -> list[Alarm]:
    """The alarms of this stack, the raised ones first: CloudFormation begins their names with the stack's."""
    answer: dict[str, Any] = aws.cloudwatch().describe_alarms(
        AlarmNamePrefix=f"{settings().STACK_NAME}-", AlarmTypes=["MetricAlarm"], MaxRecords=_MOST_ALARMS
    )
    ours = [described for described in answer["MetricAlarms"] if is_of_this_stack(described["AlarmName"])]
    alarms = [_alarm(described) for described in ours]
    return sorted(alarms, key=lambda alarm: (alarm.state != "alarm", alarm.name))


def _alarm(described: dict[str, Any]) -> Alarm:
    return Alarm(
        name=described["AlarmName"],
        about=described.get("AlarmDescription") or "",
        state=_STATES[described["StateValue"]],
        since=int(described["StateUpdatedTimestamp"].timestamp()),
    )
