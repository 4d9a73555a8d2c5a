"""Notices: what has happened, recorded once, and for each channel a row that says whether it has been told.

In: what has happened, in words for people and as JSON for programs. Out: the notice, and a message for each channel
that is to have it. What is recorded twice is recorded once: the channels are those of the first time.

    NOTICE#<id>             / NOTICE             what has happened, and the channels that are told
    DELIVERIES#<channel id> / <time>#<notice id> how the delivery to this channel stands
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Self

import orjson
from pydantic import Field

from foundation import bus, table
from foundation.bounds import CutText
from foundation.document import Document
from foundation.errors import AtWork
from foundation.ids import new_id, now, now_ms
from foundation.notice_messages import DeliverNotice
from notifications.channels import Channel, channels_for

KEPT_S = 30 * 86_400
_NOTICE = "NOTICE"
_MOST_BYTES = 100_000
"""Of the JSON for programs. SNS takes 256 KB in all, DynamoDB's row 400 KB."""
_MOST_LINES = 40
# An attempt takes ten seconds at most, by the topic 23; SQS delivers what broke off after more than this.
_CLAIMED_MS = 30_000


class Notice(Document):
    """What has happened. `id` follows from it, so that a receiver recognises a repetition."""

    id: str
    type: str
    """Of the event."""
    object_id: str
    """What it is about."""
    at: int
    """When it happened, in seconds since the epoch."""
    sentence: CutText
    """What has happened, in one line for people."""
    lines: list[CutText] = Field(default_factory=list)
    """What people read below: the evidence, or how to go on."""
    url: str = ""
    """Its page in the dashboard."""
    command: str = ""
    """What shows it in a terminal."""
    document: dict[str, Any] = Field(default_factory=dict)
    """The same for programs that subscribe to the topic."""
    channels: list[str] = Field(default_factory=list)
    """The ids of the channels that are told."""

    def text(self) -> str:
        """The message for people, as lines."""
        beneath = [line for line in (self.url, self.command) if line]
        return "\n".join(
            [self.sentence, "", *self.lines, "", *beneath, f"about {self.object_id}", f"message {self.id}"]
        )

    @classmethod
    def find(cls, notice_id: str) -> Self | None:
        row = table.get(f"{_NOTICE}#{notice_id}", _NOTICE)
        return cls.model_validate_json(row["doc"]) if row else None

    def bounded(self) -> Self:
        """Without the lines and the JSON that are more than every channel takes."""
        size = len(orjson.dumps(self.document))
        document = self.document if size <= _MOST_BYTES else {**_short(self.document), "cut": True}
        return self.model_copy(update={"lines": self.lines[:_MOST_LINES], "document": document})


class Delivery(Document):
    """How the delivery of one event to one channel stands."""

    object: Literal["channel.delivery"] = "channel.delivery"
    id: str
    """The event's id, as the channel is told it."""
    type: str
    """Of the event."""
    object_id: str
    """What it is about."""
    created_at: int
    """When it happened, in seconds UTC."""
    sentence: str
    status: Literal["pending", "delivered", "given_up"]
    attempts: int = 0
    first_attempt_at: int | None = None
    """In seconds UTC; null before it."""
    last_error: CutText | None = None
    """Why the last attempt failed, without a word of the URL; null where none did."""
    next_attempt_at: int | None = None
    """Not before then, in seconds UTC; null for the first attempt, and once it is over."""
    ended_at: int | None = None
    """When it was delivered or given up, in seconds UTC."""

    @classmethod
    def find(cls, channel_id: str, notice: Notice) -> Self | None:
        row = table.get(*_place(channel_id, notice.at, notice.id))
        return cls.model_validate_json(row["doc"]) if row else None

    @classmethod
    def newest(cls, channel_id: str, *, after: str | None = None, limit: int) -> list[Self]:
        """The newest of a channel, of those before the event `after`; none where that is not there any more."""
        before = None
        if after is not None:
            last = Notice.find(after)
            if last is None:
                return []
            before = _place(channel_id, last.at, last.id)[1]
        rows = table.query(f"DELIVERIES#{channel_id}", before=before, descending=True, limit=limit)
        return [cls.model_validate_json(row["doc"]) for row in rows]

    def create(self, channel_id: str) -> bool:
        """Write it unless it is there."""
        return table.put_new(self._row(channel_id))

    def save(self, channel_id: str) -> None:
        table.put(self._row(channel_id))

    def _row(self, channel_id: str) -> table.Row:
        pk, sk = _place(channel_id, self.created_at, self.id)
        return {"pk": pk, "sk": sk, "doc": self.model_dump_json(), "until": 0, "expires": now() + KEPT_S}


@contextmanager
def claimed(channel_id: str, notice: Notice) -> Iterator[Delivery | None]:
    """The delivery within the block, for nobody else meanwhile; None if there is none. Raises AtWork if it is claimed.

    The end of the block ends the claim, also where nothing was saved, and where it raises.
    """
    pk, sk = _place(channel_id, notice.at, notice.id)
    at, holder = now_ms(), new_id("")
    claim = {"until": at + _CLAIMED_MS, "holder": holder}
    try:
        if not table.update(pk, sk, claim, condition="#until < :now", values={"now": at}):
            if table.get(pk, sk) is None:
                yield None
                return
            raise AtWork(f"{notice.id} is being delivered to {channel_id}")
        yield Delivery.find(channel_id, notice)
    finally:
        table.update(pk, sk, {"until": 0}, where={"holder": holder})


def record(notice: Notice, channels: Sequence[Channel] | None = None) -> Notice:
    """Record what has happened, for these channels or for those that ask for it, and send a message for each.

    Returns it as it is recorded: that of the first time. What broke off is brought to its end when it is repeated.
    """
    known = Notice.find(notice.id)
    if known is None:
        told = [channel.id for channel in (channels_for(notice.type) if channels is None else channels)]
        known = notice.bounded().model_copy(update={"channels": told})
        row = {"pk": f"{_NOTICE}#{notice.id}", "sk": _NOTICE, "doc": known.model_dump_json(), "expires": now() + KEPT_S}
        if not table.put_new(row):
            known = Notice.find(notice.id) or known
    for channel_id in known.channels:
        _hand_over(known, channel_id)
    return known


def _hand_over(notice: Notice, channel_id: str) -> None:
    """Have the channel told, unless that is under way: a message that was sent twice is delivered once."""
    pending = Delivery(
        id=notice.id,
        type=notice.type,
        object_id=notice.object_id,
        created_at=notice.at,
        sentence=notice.sentence,
        status="pending",
    )
    pending.create(channel_id)
    found = Delivery.find(channel_id, notice)
    if found and found.status == "pending" and not found.attempts:
        message = DeliverNotice(notice_id=notice.id, channel_id=channel_id)
        bus.send(message)


def _short(document: dict[str, Any]) -> dict[str, Any]:
    """What of the JSON is short: the ids and the sentence."""
    return {name: value if isinstance(value, str | int | None) else None for name, value in document.items()}


def _place(channel_id: str, at: int, notice_id: str) -> tuple[str, str]:
    return f"DELIVERIES#{channel_id}", f"{at:010d}#{notice_id}"
