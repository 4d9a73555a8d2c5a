"""The SNS topic: e-mail for people, JSON for the queues, functions and URLs that subscribe to it.

SNS delivers at least once; the id in the message tells repetitions apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import orjson

from foundation import aws
from foundation.settings import settings
from notifying.channels.channel import Notice

_SUBJECT_LENGTH = 99
_MACHINES = ("sqs", "http", "https", "lambda")


class Topic(NamedTuple):
    """A topic by its ARN."""

    id: str


class SnsTopic:
    """Publishes what has words for people to the stack's topic."""

    def recipients(self, notice: Notice) -> list[Topic]:
        return [Topic(settings().TOPIC_ARN)] if notice.sentence else []

    def send(self, notice: Notice, recipients: Sequence[Topic]) -> list[Topic]:
        for topic in recipients:
            _publish(topic, notice)
        return list(recipients)


def _publish(topic: Topic, notice: Notice) -> None:
    machine = orjson.dumps(notice.document).decode()
    aws.sns().publish(
        TopicArn=topic.id,
        Subject=_subject(notice.sentence),
        MessageStructure="json",
        Message=orjson.dumps({"default": notice.text, **dict.fromkeys(_MACHINES, machine)}).decode(),
        MessageAttributes={"kind": {"DataType": "String", "StringValue": notice.type.rpartition(".")[2]}},
    )


def _subject(sentence: str) -> str:
    """SNS refuses a subject with line breaks, control characters, other letters than ASCII, or too many of them."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in sentence).split())
    return f"Stillhouse: {line}".encode("ascii", "replace").decode()[:_SUBJECT_LENGTH].rstrip()
