"""The queues as SQS and CloudWatch know them: what waits, how long, and what lies among the dead letters.

In: the queues of the settings; the dead letters of each are named by its redrive policy. Out: typed documents. Looking
at dead letters takes none away: they are received with a visibility timeout of 0, and no dead-letter queue has a
redrive policy of its own whose count of receives could move them on. Where an emulator of AWS lacks a call, what it
would say is None.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson
from botocore.exceptions import ClientError
from pydantic import ValidationError

from foundation import aws, events
from foundation.bounds import CutText
from foundation.consumer import reason_of
from foundation.document import Document
from foundation.errors import Conflict
from foundation.settings import Settings, settings

_SUFFIX = "_QUEUE_URL"
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")
_SHOWN = 10
"""The most dead letters of a queue that are looked at: as many as SQS gives at once."""
_AT_ONCE = 8
_UNREADABLE = "This version of the code does not know such a message: it was sent by another one, or by somebody else."
_UNNOTED = "Nobody noted why. The log has it, by the message's id."
_ALREADY = "InvalidParameterValue"
"""What SQS answers where dead letters of the queue are on their way already: all else that it could mean is ours."""
_LACKING = frozenset({"InvalidAction", "UnknownOperationException", "AWS.SimpleQueueService.UnsupportedOperation"})
"""What an emulator answers to a call that it does not have."""


class DeadLetter(Document):
    """A message that could not be handled: five deliveries failed."""

    id: str
    """SQS's id of it, as the log has it."""
    type: str | None
    """What it asked for, such as `GradeChunk`; null where this version does not know it."""
    about: CutText
    """The id of the object that it is about; empty where it names none."""
    sent_at: int
    """Seconds since the epoch."""
    reason: CutText
    """Why the last delivery failed."""


class Redrive(Document):
    """The last time that dead letters were put back."""

    status: str
    """SQS's word: `RUNNING`, `COMPLETED`, `FAILED` …"""
    moved: int
    """How many were moved so far, about."""
    started_at: int
    """Seconds since the epoch."""
    reason: CutText | None = None
    """Why it failed; null unless it did."""


class QueueHealth(Document):
    """A queue, its function's work that waits, and its dead letters. Counts are SQS's, which are approximate."""

    name: str
    """What it is called here: `grade`, `tuning` …"""
    waiting: int
    """The messages that may be delivered now."""
    in_flight: int
    """Those that a function has at this moment, or had when it was stopped."""
    delayed: int
    """Those that were sent to be delivered later."""
    oldest_seconds: int | None
    """How long the oldest one waits, as of the last minutes; null where nothing waits, or CloudWatch does not say."""
    dead: int
    """The messages that could not be handled."""
    dead_letters: list[DeadLetter]
    """The first ten of them."""
    redrive: Redrive | None = None
    """The last move back of dead letters; null where there was none of late, or SQS does not say."""


class Places(NamedTuple):
    """Where a queue and its dead letters are: URL and ARN of both."""

    url: str
    arn: str
    dead_url: str
    dead_arn: str


def names() -> list[str]:
    """The names of the queues."""
    return [field.name.removesuffix(_SUFFIX).lower() for field in fields(Settings) if field.name.endswith(_SUFFIX)]


def every_queue() -> list[QueueHealth]:
    """All queues as they are now."""
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        ages = pool.submit(_ages)
        found = list(pool.map(_health, names()))
    return [queue.model_copy(update={"oldest_seconds": ages.result().get(queue.name)}) for queue in found]


def put_back(name: str) -> bool:
    """Put the dead letters of a queue back into it: SQS moves them. False where this SQS cannot.

    Raises Conflict while an earlier move is still running.
    """
    places = _places(name)
    try:
        aws.sqs().start_message_move_task(SourceArn=places.dead_arn, DestinationArn=places.arn)
    except ClientError as error:
        if error.response["Error"]["Code"] in _LACKING:
            return False
        if error.response["Error"]["Code"] == _ALREADY:
            raise on_their_way() from error
        raise
    return True


def on_their_way() -> Conflict:
    """The refusal to move dead letters that are moved already."""
    return Conflict("Dead letters of this queue are on their way back already.", code="already_running")


def dead_letters(name: str) -> int:
    """How many dead letters a queue has, about."""
    return _dead(_places(name))


def last_move(name: str) -> Redrive | None:
    """The last move back of a queue's dead letters; None where there was none of late, or this SQS does not say."""
    return _last_move(_places(name))


def _health(name: str) -> QueueHealth:
    attributes = _attributes(_url(name), *_COUNTS, "QueueArn", "RedrivePolicy")
    places = _placed(_url(name), attributes)
    dead = _dead(places)
    waiting, in_flight, delayed = (int(attributes[count]) for count in _COUNTS)
    return QueueHealth(
        name=name,
        waiting=waiting,
        in_flight=in_flight,
        delayed=delayed,
        oldest_seconds=None,
        dead=dead,
        dead_letters=_looked_at(places.dead_url) if dead else [],
        redrive=_last_move(places),
    )


def _dead(places: Places) -> int:
    return int(_attributes(places.dead_url, _COUNTS[0])[_COUNTS[0]])


def _url(name: str) -> str:
    url: str = getattr(settings(), f"{name.upper()}{_SUFFIX}")
    return url


def _attributes(url: str, *wanted: str) -> dict[str, str]:
    found: Any = aws.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=list(wanted))  # type: ignore[arg-type]
    attributes: dict[str, str] = found["Attributes"]
    return attributes


def _places(name: str) -> Places:
    return _placed(_url(name), _attributes(_url(name), "QueueArn", "RedrivePolicy"))


def _placed(url: str, attributes: dict[str, str]) -> Places:
    """Where the queue's dead letters are: its redrive policy names them, and both lie in one account and region."""
    dead_arn: str = orjson.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"]
    dead_url = f"{url.rpartition('/')[0]}/{dead_arn.rpartition(':')[2]}"
    return Places(url, attributes["QueueArn"], dead_url, dead_arn)


def _looked_at(dead_url: str) -> list[DeadLetter]:
    """The first dead letters, the oldest first. They stay where they are, and stay visible."""
    answer: Any = aws.sqs().receive_message(
        QueueUrl=dead_url,
        MaxNumberOfMessages=_SHOWN,
        VisibilityTimeout=0,
        WaitTimeSeconds=1,
        AttributeNames=["SentTimestamp"],
    )
    letters = {message["MessageId"]: _letter(message) for message in answer.get("Messages", [])}
    return sorted(letters.values(), key=lambda letter: letter.sent_at)


def _letter(message: dict[str, Any]) -> DeadLetter:
    sent_at = int(message["Attributes"]["SentTimestamp"]) // 1000
    try:
        delivery = events.parse(message["Body"])
    except ValidationError:
        return DeadLetter(id=message["MessageId"], type=None, about="", sent_at=sent_at, reason=_UNREADABLE)
    return DeadLetter(
        id=message["MessageId"],
        type=type(delivery).__name__,
        about=getattr(delivery, "correlation_id", ""),
        sent_at=sent_at,
        reason=reason_of(message["MessageId"]) or _UNNOTED,
    )


def _last_move(places: Places) -> Redrive | None:
    try:
        tasks: Any = aws.sqs().list_message_move_tasks(SourceArn=places.dead_arn)
    except ClientError as error:
        if error.response["Error"]["Code"] in _LACKING:
            return None
        raise
    for task in tasks.get("Results", []):
        return Redrive(
            status=task["Status"],
            moved=task.get("ApproximateNumberOfMessagesMoved", 0),
            started_at=task["StartedTimestamp"] // 1000,
            reason=task.get("FailureReason"),
        )
    return None


def _ages() -> dict[str, int]:
    """By queue, how many seconds the oldest message waits. CloudWatch alone knows: to receive one would count."""
    until = datetime.now(UTC)
    known = names()
    answer = aws.cloudwatch().get_metric_data(
        MetricDataQueries=[_age_of(number, name) for number, name in enumerate(known)],
        StartTime=until - timedelta(minutes=10),
        EndTime=until,
        ScanBy="TimestampDescending",
    )
    values = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
    return {name: int(values[f"q{number}"][0]) for number, name in enumerate(known) if values.get(f"q{number}")}


def _age_of(number: int, name: str) -> dict[str, Any]:
    metric = {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{"Name": "QueueName", "Value": _url(name).rpartition("/")[2]}],
    }
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
