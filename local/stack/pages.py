"""One short address for the stack: the web pages at `/`, the API at `/v1`.

In: any request. Out: what the stack's HTTP API answers to it, whose own address on the emulator is long and has a path.
Nothing is added: a page asks for a sign-in here as it does on AWS, and a call of the API needs its key.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from local.stack.errors import StackError
from local.stack.info import read_info
from local.stack.ports import HOST

_SECONDS = 60
_OWN = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})
"""Headers of one connection, which are not passed on."""


@contextmanager
def pages(info: Path, port: int) -> Iterator[None]:
    """Answers for the stack that `info` describes, for the length of the block. Raises StackError."""

    class Handler(_Handler):
        info_file = info

    try:
        server = ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        raise StackError(f"Port {port}, where the pages of this stack answer, is taken: {error.strerror}.") from error
    thread = threading.Thread(target=server.serve_forever, name="pages", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def pages_url(port: int) -> str:
    return f"http://{HOST}:{port}"


class _Handler(BaseHTTPRequestHandler):
    info_file: Path
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        length = self.headers.get("content-length") or "0"
        if "transfer-encoding" in self.headers or not length.isdecimal():
            # What follows the headers would be taken for the next request.
            self.close_connection = True
            return self._answer(HTTPStatus.LENGTH_REQUIRED, [], b"Say the body's length in a header: content-length.")
        body = self.rfile.read(int(length))
        info = read_info(self.info_file)
        if info is None:
            return self._answer(HTTPStatus.SERVICE_UNAVAILABLE, [], b"The stack is still starting. Load this again.")
        api = urlsplit(info.api_url)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in {*_OWN, "host"}}
        connection = HTTPConnection(api.netloc, timeout=_SECONDS)
        try:
            connection.request(self.command, api.path.removesuffix("/v1") + self.path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException, ValueError) as error:
            return self._answer(HTTPStatus.BAD_GATEWAY, [], f"The emulator does not answer: {error}.".encode())
        finally:
            connection.close()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _OWN]
        return self._answer(answer.status, kept, content)

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The server calls `do_GET` for a GET, and so on: all methods are alike here.
        if name.startswith("do_"):
            return self._pass_on
        raise AttributeError(name)

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal belongs to the stack."""
