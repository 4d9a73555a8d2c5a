"""Sending messages: one at a time, or in tens with every refusal raised."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import batched
from typing import Any, Protocol

from foundation import aws
from foundation.errors import RetryLater


class Sendable(Protocol):
    """A message of `events.py`."""

    def to_json(self) -> str: ...


_ENTRIES = 10


def send(url: str, message: Sendable, *, delay_s: int = 0) -> None:
    """Nobody receives it before `delay_s` seconds, at most 900."""
    delay: dict[str, Any] = {"DelaySeconds": delay_s} if delay_s else {}
    aws.sqs().send_message(QueueUrl=url, MessageBody=message.to_json(), **delay)


def send_all(url: str, messages: Iterable[Sendable]) -> None:
    """Ten a call; raises RetryLater when SQS refuses one, naming how many."""
    for chunk in batched(messages, _ENTRIES, strict=False):
        entries: list[Any] = [
            {"Id": str(index), "MessageBody": message.to_json()} for index, message in enumerate(chunk)
        ]
        answer = aws.sqs().send_message_batch(QueueUrl=url, Entries=entries)
        if answer.get("Failed"):
            raise RetryLater(f"SQS refused {len(answer['Failed'])} of {len(entries)} messages")
