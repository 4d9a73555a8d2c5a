"""A reverse proxy in front of the API, for suites that bring a key of their own and one fixed id.

In: the suite's requests. Out: the API's answers, untouched. On the way the key becomes the API's, and so do the
ids in the path: what the suites delete is a spare, since they read it again, and the cursor `after` is one that exists.
A request for a response gets a model and an input where it has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.conformance.seed import Api, Seeded
from tests.loopback import serving

_NOT_PASSED_ON = frozenset({"connection", "content-length", "date", "host", "server", "transfer-encoding"})


@contextmanager
def served(stack: Api) -> Iterator[str]:
    """The proxy's base URL; what suites read is there by then."""
    seeded = Seeded(stack)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            named, _, query = self.path.removeprefix("/v1").partition("?")
            body = seeded.body(named, self.rfile.read(int(self.headers.get("content-length") or 0)))
            path = seeded.path(self.command, named) + (f"?{seeded.query(named, query)}" if query else "")
            status, headers, answer = stack.call(self.command, path, body, _passed_on(self.headers.items()))
            self.send_response(status)
            for name, value in {**_passed_on(headers), "content-length": str(len(answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):  # of every method, known or not
                return self._pass_on
            raise AttributeError(name)

        def log_message(self, *_: object) -> None:
            """Say nothing on stderr."""

    with serving(Handler) as address:
        yield f"{address}/v1"
    seeded.end()


def _passed_on(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _NOT_PASSED_ON}
