"""Send messages to SQS queues, one or many. A message's class names the queue that it goes to."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import batched, groupby
from typing import Any, ClassVar, Protocol

from foundation import aws
from foundation.errors import RetryLater
from foundation.settings import settings


class Sendable(Protocol):
    """What `send` accepts: a message of `events.py`, or any class with a `QUEUE` and a `to_json`."""

    QUEUE: ClassVar[str]

    def to_json(self) -> str: ...


_ENTRIES = 10
LONGEST_DELAY_S = 900
"""SQS delays a message by at most this many seconds."""


def send(message: Sendable, *, delay_s: int = 0) -> None:
    """Send one message. Consumers receive it no earlier than `delay_s` seconds (at most 900) from now."""
    delay: dict[str, Any] = {"DelaySeconds": delay_s} if delay_s else {}
    aws.sqs().send_message(QueueUrl=_url(message.QUEUE), MessageBody=message.to_json(), **delay)


def send_all(messages: Iterable[Sendable]) -> None:
    """Send many messages, ten a call. Raises RetryLater, with the number refused, if SQS refuses any of a call."""
    for queue, of_queue in groupby(messages, lambda message: message.QUEUE):
        for chunk in batched(of_queue, _ENTRIES, strict=False):
            entries: list[Any] = [
                {"Id": str(index), "MessageBody": message.to_json()} for index, message in enumerate(chunk)
            ]
            answer = aws.sqs().send_message_batch(QueueUrl=_url(queue), Entries=entries)
            if answer.get("Failed"):
                raise RetryLater(f"SQS refused {len(answer['Failed'])} of {len(entries)} messages")


def come_again(queue: str, receipt: str, *, after_s: int) -> None:
    """Have a message that is being handled delivered again so many seconds from now, unless it is deleted by then."""
    aws.sqs().change_message_visibility(QueueUrl=_url(queue), ReceiptHandle=receipt, VisibilityTimeout=after_s)


def _url(queue: str) -> str:
    url: str = getattr(settings(), queue)
    return url
