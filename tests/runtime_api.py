"""A double of Lambda around a function: its Runtime API, which holds a runtime to the protocol, and the function's URL.

`invoke` gives the runtime an event and returns what becomes of it while it comes. Whatever the runtime does that Lambda
forbids is refused as Lambda refuses it, and noted in `violations`: an answer to another invocation or a second one, one
after the deadline, a mode or a media type that does not exist, a head that is no JSON or is not ended by eight NULs, a
trailer that was not announced, trailers of more than 4,096 bytes. `function_url` serves HTTP as a URL in the mode
RESPONSE_STREAM does: a client that goes away is told to nobody.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from itertools import chain
from queue import Queue
from typing import Any, ClassVar

from foundation.streaming.runtime_api import RuntimeApi, RuntimeGone
from foundation.streaming.serving import Handler, Serving
from tests.loopback import serving

MODE = "Lambda-Runtime-Function-Response-Mode"
ROOT = "/2018-06-01/runtime"
FUNCTION = {"AWS_LAMBDA_FUNCTION_NAME": "gateway", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024"}
OWN_URL = "abc123.lambda-url.us-east-1.on.aws"
STREAMED = "application/vnd.awslambda.http-integration-response"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:gateway"
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
_TRAILERS = {"lambda-runtime-function-error-type", "lambda-runtime-function-error-body"}
_ANSWER = re.compile(rf"{ROOT}/invocation/([^/]+)/(response|error)")
_LONGEST_S = 20.0
_MOST_OF_TRAILERS = 4090
_END = bytes(8)


class Refused(Exception):
    """What the runtime did is against the protocol."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass
class Invoked:
    """An invocation. `pieces` are the parts of a streamed body as they come, None after the last."""

    request_id: str
    event: bytes
    deadline: float
    head: dict[str, Any] = field(default_factory=dict)
    whole: Any = None
    error: Any = None
    """The document of an error, whether it came in place of an answer or as a trailer."""
    error_type: str | None = None
    pieces: Queue[bytes | None] = field(default_factory=Queue)
    begun: threading.Event = field(default_factory=threading.Event)
    answered: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    """Set when the runtime asks for the next event: the invocation is over then, and not before."""

    def read(self) -> Iterator[bytes]:
        """The pieces of the body."""
        while (piece := self.pieces.get(timeout=_LONGEST_S)) is not None:
            yield piece

    def body(self) -> bytes:
        return b"".join(self.read())

    def wait(self) -> Invoked:
        """The same, once the runtime is done with it."""
        assert self.ended.wait(_LONGEST_S)
        return self


class Lambda:
    """The service's side. `address` is what AWS_LAMBDA_RUNTIME_API has."""

    def __init__(self) -> None:
        self.address = ""
        self.violations: list[str] = []
        self.init_error: Any = None
        self.cut_after: int | None = None
        """After so many bytes of a body the connection is closed, as Lambda does where it gives an invocation up."""
        self._events: Queue[Invoked | None] = Queue()
        self._current: Invoked | None = None

    def invoke(self, event: Any, *, within_s: float = 60.0) -> Invoked:
        raw = event if isinstance(event, bytes) else json.dumps(event).encode()
        invoked = Invoked(str(uuid.uuid4()), raw, time.time() + within_s)
        self._events.put(invoked)
        return invoked

    def close(self) -> None:
        """Give no events any more: `next` is refused, and the runtime ends."""
        self._events.put(None)

    def next(self) -> Invoked | None:
        if self._current:
            if not self._current.answered.is_set() and time.time() < self._current.deadline:
                raise Refused(403, "next before an answer")
            self._current.ended.set()
        self._current = self._events.get()
        return self._current

    def answering(self, request_id: str) -> Invoked:
        """The invocation that is answered. Raises Refused if there is none of this id, or it was answered."""
        current = self._current
        if current is None or current.request_id != request_id:
            raise Refused(400, "an answer to another invocation")
        if time.time() > current.deadline:
            raise Refused(403, "an answer after the deadline")
        if current.begun.is_set():
            raise Refused(403, "a second answer")
        current.begun.set()
        return current


@contextmanager
def lambda_service() -> Iterator[Lambda]:
    """Lambda, for the length of the block; at its end no runtime has broken the protocol."""
    service = Lambda()
    with serving(type("Api", (_Api,), {"service": service})) as url:
        service.address = url.removeprefix("http://")
        try:
            yield service
        finally:
            service.close()
    assert not service.violations


@contextmanager
def runtime(service: Lambda, handler: Handler) -> Iterator[None]:
    """A runtime of ours that serves with this handler, in a thread."""
    serving = Serving(RuntimeApi(service.address, FUNCTION))

    def run() -> None:
        with suppress(RuntimeGone):
            serving.serve(handler)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        service.close()
        thread.join()


class _Api(BaseHTTPRequestHandler):
    """The Runtime API of one service."""

    service: ClassVar[Lambda]

    def do_GET(self) -> None:
        try:
            invoked = self.service.next()
        except Refused as refused:
            self._refuse(refused)
            return
        if invoked is None or self.path != f"{ROOT}/invocation/next":
            self._say(410, b"")
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invoked.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(invoked.deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": TRACE,
            "Content-Type": "application/json",
        }
        self._say(200, invoked.event, headers)

    def do_POST(self) -> None:
        try:
            if self.path == f"{ROOT}/init/error":
                self.service.init_error = self._error()
            else:
                self._answered()
        except Refused as refused:
            self._refuse(refused)
        except ConnectionAbortedError:
            self.close_connection = True
        else:
            self._say(202, b'{"status":"OK"}')

    def _answered(self) -> None:
        match = _ANSWER.fullmatch(self.path)
        if match is None:
            raise Refused(404, f"POST {self.path}")
        invoked = self.service.answering(match[1])
        try:
            if match[2] == "error":
                invoked.error = self._error()
                invoked.error_type = self.headers["Lambda-Runtime-Function-Error-Type"]
            elif self.headers[MODE] is None:
                invoked.whole = _json(self.rfile.read(int(self.headers["Content-Length"])))
            else:
                self._streamed(invoked)
        finally:
            invoked.pieces.put(None)
            invoked.answered.set()

    def _error(self) -> Any:
        told = _json(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.headers["Lambda-Runtime-Function-Error-Type"] or set(told) < {"errorMessage", "errorType"}:
            raise Refused(400, "an error without its type")
        return told

    def _streamed(self, invoked: Invoked) -> None:
        wanted = {MODE: "streaming", "Transfer-Encoding": "chunked", "Content-Type": STREAMED, "Content-Length": None}
        for name, value in wanted.items():
            if self.headers[name] != value:
                raise Refused(400, f"{name} is {self.headers[name]!r}")
        head = b""
        for chunk in self._chunks():
            if invoked.head:
                invoked.pieces.put(chunk)
                continue
            head += chunk
            if _END in head:
                text, _, piece = head.partition(_END)
                invoked.head = _head(text)
                if piece:
                    invoked.pieces.put(piece)
        if not invoked.head:
            raise Refused(400, "the head is not ended by eight NULs")
        self._trailers(invoked)

    def _chunks(self) -> Iterator[bytes]:
        received = 0
        while size := int(self.rfile.readline(), 16):
            chunk = self.rfile.read(size)
            if self.rfile.readline() != b"\r\n":
                raise Refused(400, "a chunk without its end")
            received += size
            if self.service.cut_after is not None and received > self.service.cut_after:
                # What is not read makes the far side's next write fail.
                self.connection.close()
                raise ConnectionAbortedError
            yield chunk

    def _trailers(self, invoked: Invoked) -> None:
        announced = {name.strip().lower() for name in (self.headers["Trailer"] or "").split(",")}
        trailers: dict[str, str] = {}
        size = 0
        while line := self.rfile.readline().strip():
            size += len(line)
            name, _, value = line.decode().partition(":")
            trailers[name.strip().lower()] = value.strip()
        if size > _MOST_OF_TRAILERS:
            raise Refused(400, "suspiciously long trailer after chunked body")
        if not set(trailers) <= announced & _TRAILERS:
            raise Refused(400, f"trailers {sorted(trailers)}")
        if trailers:
            invoked.error_type = trailers["lambda-runtime-function-error-type"]
            invoked.error = _json(base64.b64decode(trailers["lambda-runtime-function-error-body"]))

    def _refuse(self, refused: Refused) -> None:
        self.service.violations.append(str(refused))
        self.close_connection = True
        self._say(refused.status, b'{"errorMessage":"refused"}')

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        # A runtime that has ended meanwhile hears nothing.
        with suppress(OSError):
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing on stderr."""


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise Refused(400, f"no JSON: {text[:200]!r}") from None


def _head(text: bytes) -> dict[str, Any]:
    head = _json(text)
    if not isinstance(head, dict) or not set(head) <= {"statusCode", "headers", "cookies"}:
        raise Refused(400, f"a head {text!r}")
    if not isinstance(head.get("statusCode", 200), int):
        raise Refused(400, "a status that is no number")
    if not all(isinstance(value, str) for value in head.get("headers", {}).values()):
        raise Refused(400, "a header that is no text")
    return head


def http_event(
    method: str, path: str, body: bytes, headers: dict[str, str], *, domain: str = OWN_URL, query: str = ""
) -> dict[str, Any]:
    """A request as Lambda gives it to a function: payload 2.0, by the function's own URL or by an API's domain."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in headers.items()},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": domain.partition(".")[0],
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "test",
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1_773_342_238_000,
        },
        "body": body.decode(),
        "isBase64Encoded": False,
    }


@contextmanager
def function_url(service: Lambda) -> Iterator[str]:
    """The base URL of the function's own URL."""

    class Url(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            invoked = service.invoke(http_event("POST", self.path, body, dict(self.headers)))
            pieces = invoked.read()
            first = next(pieces, b"")
            self.send_response(invoked.head.get("statusCode", 200))
            for name, value in {**invoked.head.get("headers", {}), "Transfer-Encoding": "chunked"}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                for piece in filter(None, chain([first], pieces)):
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: Any) -> None:
            """Say nothing on stderr."""

    with serving(Url) as url:
        yield url
