"""Tell people, by SNS: a verdict, a gate that blocked, a distillation that failed.

In: a notification. Out: one publication with a text for e-mail and JSON for machines. SNS delivers at least
once; the id in the message tells repetitions apart.
"""

from __future__ import annotations

import orjson

from distillations import telling
from distillations.distillation import Distillation
from distillations.telling import Notification
from distillations.verdict import Verdict
from foundation import aws
from foundation.settings import settings

_SUBJECT_LENGTH = 99
_MACHINES = ("sqs", "http", "https", "lambda")


def notify_verdict(verdict: Verdict) -> None:
    _publish(telling.of_verdict(verdict))


def notify_blocked(distillation: Distillation) -> None:
    _publish(telling.of_blocked(distillation))


def notify_failed(distillation: Distillation) -> None:
    _publish(telling.of_failed(distillation))


def _publish(notification: Notification) -> None:
    machine = orjson.dumps(notification.document()).decode()
    aws.sns().publish(
        TopicArn=settings().TOPIC_ARN,
        Subject=_subject(notification.sentence),
        MessageStructure="json",
        Message=orjson.dumps({"default": notification.text(), **dict.fromkeys(_MACHINES, machine)}).decode(),
        MessageAttributes={"kind": {"DataType": "String", "StringValue": notification.type}},
    )


def _subject(sentence: str) -> str:
    """SNS refuses a subject with line breaks, control characters, other letters than ASCII, or too many of them."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in sentence).split())
    return f"Stillhouse: {line}".encode("ascii", "replace").decode()[:_SUBJECT_LENGTH].rstrip()
