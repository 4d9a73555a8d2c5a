"""Time that is moved by hand, so that a stack lives through days within minutes: ours, SQS's and the lab's.

Leases, retention, visibility timeouts and delays of messages all follow it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import moto.sqs.models
import pytest

from foundation import ids
from local.lab import chat

_START_NS = 1_800_000_000 * 10**9
A_DAY_S = 86_400


class Clock:
    """Stands still until `pass_s`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ns = _START_NS
        module: Any = ids
        monkeypatch.setattr(module, "time", SimpleNamespace(time_ns=lambda: self._ns))
        monkeypatch.setattr(moto.sqs.models, "unix_time_millis", lambda: self._ns / 1e6)
        monkeypatch.setattr(chat, "time", SimpleNamespace(time=lambda: self._ns / 1e9))

    def pass_s(self, seconds: float) -> None:
        self._ns += round(seconds * 1e9)

    @property
    def now(self) -> int:
        """Seconds since the epoch."""
        return self._ns // 10**9
