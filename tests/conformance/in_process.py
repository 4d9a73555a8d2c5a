"""The system in process as an HTTP server on loopback, for a suite that runs in an environment of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.flow.system import KEY, System
from tests.loopback import serving


@contextmanager
def served(system: System) -> Iterator[str]:
    """The base URL, below which the paths of the description lie.

    Each connection has a thread, since a client keeps some open; the system answers one request after the other.
    """
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with turn:
                status, answer = system.call(self.command, self.path, body, key=KEY, headers=headers)
                kind = {name.lower(): value for name, value in system.headers.items()}.get("content-type", "")
            text = answer if isinstance(answer, str | bytes) else b"" if answer is None else json.dumps(answer)
            raw = text.encode() if isinstance(text, str) else text
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
