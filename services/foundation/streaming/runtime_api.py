"""Client of Lambda's Runtime API: the next event in, the answer out, whole or in pieces.

In: the API's address. Each call has a connection of its own, since a kept one would be stale after the process was
stopped between two events. Raises AnswerRefused where Lambda does not take an answer, and RuntimeGone where there is
nobody to go on for. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html and `runtimes-custom.html` there
(response streaming) describe it.
"""

from __future__ import annotations

import base64
import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from foundation.errors import StillhouseError
from foundation.streaming.failure import Failure
from foundation.streaming.invocation import Invocation

_PATH = "/2018-06-01/runtime"
_ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
_ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
_HTTP_ANSWER = "application/vnd.awslambda.http-integration-response"
_JSON = "application/json"
_STREAMED = {
    "Lambda-Runtime-Function-Response-Mode": "streaming",
    "Content-Type": _HTTP_ANSWER,
    "Transfer-Encoding": "chunked",
    "Trailer": f"{_ERROR_TYPE}, {_ERROR_BODY}",
}
_PRELUDE_END = bytes(8)
# Servers in Go, as Lambda's is, take trailers of 4,096 bytes in all; base64 makes four bytes of three.
_MOST_OF_TRAILER = 2700
_OK, _ACCEPTED, _BROKEN = 200, 202, 500


class RuntimeGone(StillhouseError):
    """The Runtime API gives no events any more: the process must end."""


class AnswerRefused(StillhouseError):
    """The Runtime API did not take an answer, or has closed the connection in its midst."""


class RuntimeApi:
    """The Runtime API at one address. `function` is what Lambda's environment says of the function."""

    def __init__(self, address: str, function: Mapping[str, str]) -> None:
        self._address = address
        self._function = function

    def next(self) -> Invocation:
        """Wait for the next event. Raises RuntimeGone."""
        try:
            with self._connection() as connection:
                connection.request("GET", f"{_PATH}/invocation/next")
                answer = connection.getresponse()
                body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise RuntimeGone(f"no next event: {type(error).__name__}") from error
        if answer.status != _OK:
            raise RuntimeGone(f"no next event: {answer.status}")
        return Invocation({name.lower(): value for name, value in answer.getheaders()}, body, self._function)

    def answer(self, request_id: str, body: bytes) -> None:
        """Answer an invocation with a whole JSON document."""
        self._post(f"/invocation/{request_id}/response", body, {"Content-Type": _JSON})

    def fail(self, request_id: str, failure: Failure) -> None:
        """Say that an invocation has failed before it had an answer."""
        headers = {"Content-Type": _JSON, _ERROR_TYPE: failure.kind}
        self._post(f"/invocation/{request_id}/error", failure.body(request_id), headers)

    def fail_init(self, failure: Failure) -> None:
        """Say that the function cannot be started."""
        self._post("/init/error", failure.body(""), {"Content-Type": _JSON, _ERROR_TYPE: failure.kind})

    @contextmanager
    def streamed(self, request_id: str, head: bytes) -> Iterator[Streamed]:
        """Answer an invocation in pieces, as HTTP with this head: the JSON of `statusCode`, `headers`, `cookies`."""
        with _refusing(), self._connection() as connection:
            connection.putrequest("POST", f"{_PATH}/invocation/{request_id}/response", skip_accept_encoding=True)
            for name, value in _STREAMED.items():
                connection.putheader(name, value)
            connection.endheaders()
            streamed = Streamed(connection)
            streamed.send(head + _PRELUDE_END)
            yield streamed
            _take(connection.getresponse())

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        with _refusing(), self._connection() as connection:
            connection.request("POST", _PATH + path, body, dict(headers))
            _take(connection.getresponse())

    @contextmanager
    def _connection(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection(self._address)
        try:
            yield connection
        finally:
            connection.close()


class Streamed:
    """An answer that is under way. One of `end` and `fail` closes it."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection

    def send(self, piece: bytes) -> None:
        """Send a piece. An empty one would be the end."""
        if piece:
            self._connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))

    def end(self) -> None:
        self._connection.send(b"0\r\n\r\n")

    def fail(self, failure: Failure, request_id: str) -> None:
        """End with the error that broke the answer off, as trailers."""
        body = base64.b64encode(failure.short_body(request_id, _MOST_OF_TRAILER))
        trailers = b"%b: %b\r\n%b: %b\r\n" % (_ERROR_TYPE.encode(), failure.kind.encode(), _ERROR_BODY.encode(), body)
        self._connection.send(b"0\r\n" + trailers + b"\r\n")


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        raise AnswerRefused(f"the answer was cut off: {type(error).__name__}") from error


def _take(answer: http.client.HTTPResponse) -> None:
    answer.read()
    if answer.status >= _BROKEN:
        raise RuntimeGone(f"the Runtime API is broken: {answer.status}")
    if answer.status != _ACCEPTED:
        raise AnswerRefused(f"the answer was refused: {answer.status}")
