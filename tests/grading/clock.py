"""A clock that tests turn, and queues whose delays pass with it."""

from __future__ import annotations

from typing import Any

import pytest

from foundation import bus, later
from grading import batch, pause, plan


class Clock:
    """What grading takes for the time; what it sends with a delay waits here until that is over."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_790_000_000
        self.delays: list[int] = []
        self._waiting: list[tuple[int, Any]] = []
        send = bus.send

        def delayed(message: Any, *, delay_s: int = 0) -> None:
            if not delay_s:
                send(message)
                return
            assert 0 < delay_s <= 900, "what SQS takes"
            self.delays.append(delay_s)
            self._waiting.append((self.now + delay_s, message))

        monkeypatch.setattr(bus, "send", delayed)
        for module in (batch, later, pause, plan):
            monkeypatch.setattr(module, "now", lambda: self.now)

    def waiting(self) -> list[Any]:
        return [message for _, message in self._waiting]

    def next(self) -> list[Any]:
        """Turn the clock to the next message that comes back; all that come then."""
        if not self._waiting:
            return []
        self.now = max(self.now, min(at for at, _ in self._waiting))
        due = [message for at, message in self._waiting if at <= self.now]
        self._waiting = [(at, message) for at, message in self._waiting if at > self.now]
        return due
