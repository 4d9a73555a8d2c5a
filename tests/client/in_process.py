"""The command line against the API in this process: no server, and the queues run after each request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stillhouse import asking, watched
from stillhouse.importing.stopped import Stopped
from tests.flow.system import System


def connect(system: System, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Give what the command asks to the system; returns the list of what was asked, which grows."""
    asked: list[tuple[str, str]] = []

    def called(_: str, method: str, path: str, body: Any = None) -> Any:
        asked.append((method, path))
        status, answer = system.call(method, f"/v1{path}", body)
        if status >= 400:
            raise Stopped(f"{status}: {answer['error']['message']}")
        system.settle()
        return answer

    def page(to: str, path: str, header: str) -> tuple[bytes, str | None]:
        answer = called(to, "GET", path)
        told = {name.lower(): value for name, value in system.headers.items()}
        if isinstance(answer, bytes):
            return answer, told.get(header)
        return (answer if isinstance(answer, str) else json.dumps(answer)).encode(), told.get(header)

    monkeypatch.setattr(asking, "asked", called)
    monkeypatch.setattr(asking, "page", page)
    monkeypatch.setattr(watched.time, "sleep", lambda _: system.settle())
    monkeypatch.setenv("STILLHOUSE_BASE_URL", "https://x/v1")
    return asked
