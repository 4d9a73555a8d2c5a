"""The system in process as an HTTP server on loopback, for suites that run in an environment of their own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from tests.conformance.seed import Api
from tests.flow.system import CONSUMERS, KEY, System
from tests.loopback import serving


class InProcess(Api):
    """The API of the system, which answers one request after the other.

    `settles` has the queues run before what reads or deletes: what was just made can be canceled, as on a stack.
    """

    def __init__(self, system: System, *, settles: bool) -> None:
        self._system, self._settles = system, settles
        self._turn = threading.Lock()
        self.lab = urlsplit(system.lab)

    def call(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        sent = {name.lower(): value for name, value in headers.items() if name.lower() != "authorization"}
        with self._turn:
            while self._settles and method != "POST" and any(list(map(self._system.deliver, CONSUMERS))):
                pass
            status, answer = self._system.call(method, f"/v1{path}", body, key=KEY, headers=sent)
            given = list(self._system.headers.items())
        return status, given, _raw(answer)


def _raw(answer: Any) -> bytes:
    if isinstance(answer, bytes):
        return answer
    text = answer if isinstance(answer, str) else "" if answer is None else json.dumps(answer)
    return text.encode()


@contextmanager
def served(system: System) -> Iterator[str]:
    """The base URL, below which the paths of the description lie. Each connection has a thread, since a client keeps
    some open."""
    api = InProcess(system, settles=False)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, headers, raw = api.call(
                self.command, self.path.removeprefix("/v1"), body, dict(self.headers.items())
            )
            kind = {name.lower(): value for name, value in headers}.get("content-type", "")
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing on stderr."""

    with serving(Handler) as address:
        yield f"{address}/v1"
