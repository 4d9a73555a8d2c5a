"""A channel that does what a test tells it."""

from __future__ import annotations

from dataclasses import dataclass, field

from notifications.channels import Channel, ChannelType
from notifications.notices import Notice


@dataclass
class Stub:
    """Keeps whom it was asked to send to; `fails` names what it raises, by the channel's id."""

    fails: dict[str, Exception] = field(default_factory=dict)
    sent: list[tuple[str, str]] = field(default_factory=list)

    def send(self, notice: Notice, channel: Channel) -> None:
        self.sent.append((channel.id, notice.id))
        if channel.id in self.fails:
            raise self.fails[channel.id]


def channel(name: str, *event_types: str, kind: ChannelType = "webhook", url: str = "https://e.test/hook") -> Channel:
    """One that is told of these, or of verdicts."""
    types = list(event_types or ("distillation.verdict",))
    fields = {"created_at": 1, "updated_at": 1, "secret": "whsec_AAAA"}
    made = Channel(id=name, type=kind, name=name, url=url, event_types=types, **fields)
    made.create()
    return made


def notice(number: int = 1, **fields: object) -> Notice:
    figures = {"type": "distillation.verdict", "object_id": "o", "at": 7, "sentence": "It does.", "lines": ["Rows."]}
    return Notice(id=f"evt_{number}", **{**figures, **fields})
