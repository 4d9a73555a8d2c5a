"""The SNS topic: e-mail for people, JSON for the queues, functions and URLs that subscribe to it.

SNS delivers at least once; the id in the message tells repetitions apart. It takes 256 KB in all, the JSON of each kind
of subscriber among it: what is larger goes without its details, which the dashboard's page has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from foundation import aws
from foundation.bounds import cut
from notifications.channels import Channel
from notifications.notices import Notice

_SUBJECT_LENGTH = 99
# Of 256 KB, since the attributes count, too.
_MOST_BYTES = 255 * 1024
_SHORT_TEXT = 8_000
_MACHINES = ("sqs", "http", "https", "lambda")


class Email:
    """Publishes to the stack's topic."""

    def send(self, notice: Notice, channel: Channel) -> None:
        aws.sns().publish(
            TopicArn=channel.url,
            Subject=_subject(notice.sentence),
            MessageStructure="json",
            Message=next(message for message in _messages(notice) if len(message.encode()) <= _MOST_BYTES),
            MessageAttributes={"kind": {"DataType": "String", "StringValue": notice.type.rpartition(".")[2]}},
        )


def _messages(notice: Notice) -> Iterator[str]:
    """The message whole, then ever shorter; the last one always fits."""
    text, short = _printable(notice.text()), cut(_printable(notice.text()), _SHORT_TEXT)
    bare = {"type": notice.type.rpartition(".")[2], "id": notice.id, "object_id": notice.object_id, "url": notice.url}
    yield _message(text, notice.document or {**bare, "sentence": notice.sentence})
    yield _message(text, {**bare, "sentence": notice.sentence})
    yield _message(short, {**bare, "sentence": notice.sentence})


def _message(text: str, document: dict[str, Any]) -> str:
    machine = orjson.dumps(document).decode()
    return orjson.dumps({"default": text, **dict.fromkeys(_MACHINES, machine)}).decode()


def _printable(text: str) -> str:
    """Without control letters, each of which JSON spells with six."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)


def _subject(sentence: str) -> str:
    """SNS refuses a subject with line breaks, control characters, other letters than ASCII, or too many of them."""
    line = " ".join(_printable(sentence).split())
    return f"Stillhouse: {line}".encode("ascii", "replace").decode()[:_SUBJECT_LENGTH].rstrip()
