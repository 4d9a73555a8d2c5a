"""A channel that does what a test tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from notifying.channels import Notice


class Someone(NamedTuple):
    id: str


@dataclass
class Stub:
    """Tells `names`, of whom those in `taking` take it; keeps whom it was asked to send to."""

    names: list[str]
    fails: bool = False
    taking: list[str] | None = None
    sent: list[list[str]] = field(default_factory=list)

    def recipients(self, notice: Notice) -> list[Someone]:  # noqa: ARG002
        return [Someone(name) for name in self.names]

    def send(self, notice: Notice, recipients: Sequence[Someone]) -> list[Someone]:  # noqa: ARG002
        self.sent.append([recipient.id for recipient in recipients])
        if self.fails:
            raise ConnectionError("nobody there")
        return [recipient for recipient in recipients if self.taking is None or recipient.id in self.taking]
