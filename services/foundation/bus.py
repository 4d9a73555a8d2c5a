"""Sending messages: one at a time, or in tens with every refusal raised. A message's class names its queue."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import batched, groupby
from typing import Any, ClassVar, Protocol

from foundation import aws
from foundation.errors import RetryLater
from foundation.settings import settings


class Sendable(Protocol):
    """A message of `events.py`, or one that is written like it."""

    QUEUE: ClassVar[str]

    def to_json(self) -> str: ...


_ENTRIES = 10
LONGEST_DELAY_S = 900
"""What SQS delays at most."""


def send(message: Sendable, *, delay_s: int = 0) -> None:
    """Nobody receives it before `delay_s` seconds, at most 900."""
    delay: dict[str, Any] = {"DelaySeconds": delay_s} if delay_s else {}
    aws.sqs().send_message(QueueUrl=_url(message.QUEUE), MessageBody=message.to_json(), **delay)


def send_all(messages: Iterable[Sendable]) -> None:
    """Ten a call; raises RetryLater when SQS refuses one, naming how many."""
    for queue, of_queue in groupby(messages, lambda message: message.QUEUE):
        for chunk in batched(of_queue, _ENTRIES, strict=False):
            entries: list[Any] = [
                {"Id": str(index), "MessageBody": message.to_json()} for index, message in enumerate(chunk)
            ]
            answer = aws.sqs().send_message_batch(QueueUrl=_url(queue), Entries=entries)
            if answer.get("Failed"):
                raise RetryLater(f"SQS refused {len(answer['Failed'])} of {len(entries)} messages")


def _url(queue: str) -> str:
    url: str = getattr(settings(), queue)
    return url
