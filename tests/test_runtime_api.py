"""The double of the Runtime API refuses what Lambda refuses: else it would hold nobody to the protocol."""

from __future__ import annotations

import http.client
from collections.abc import Callable

import pytest

from tests.runtime_api import MODE, ROOT, STREAMED, Invoked, Lambda, lambda_service

HEAD = b'{"statusCode":200}' + bytes(8)
TYPE = "Lambda-Runtime-Function-Error-Type"
GOOD = {MODE: "streaming", "Content-Type": STREAMED, "Transfer-Encoding": "chunked"}


def post(service: Lambda, path: str, body: bytes, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(service.address)
    connection.request("POST", ROOT + path, body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def chunked(body: bytes, trailers: bytes = b"") -> bytes:
    return b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, trailers)


def given(service: Lambda, *, within_s: float = 60.0) -> Invoked:
    invoked = service.invoke({}, within_s=within_s)
    connection = http.client.HTTPConnection(service.address)
    connection.request("GET", f"{ROOT}/invocation/next")
    assert connection.getresponse().status == 200
    connection.close()
    return invoked


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [
        (GOOD | {MODE: "buffered"}, chunked(HEAD), f"{MODE} is 'buffered'"),
        (GOOD | {"Content-Type": "text/event-stream"}, chunked(HEAD), "Content-Type is 'text/event-stream'"),
        (GOOD, chunked(b'{"statusCode":200}data: x'), "the head is not ended by eight NULs"),
        (GOOD, chunked(HEAD[:-1] + b"data: x"), "the head is not ended by eight NULs"),
        (GOOD, chunked(b"data: x" + bytes(8)), "no JSON: b'data: x'"),
        (GOOD, chunked(b'{"statusCode":"200"}' + bytes(8)), "a status that is no number"),
        (GOOD, chunked(b'{"headers":{"x":1}}' + bytes(8)), "a header that is no text"),
        (GOOD, chunked(HEAD, b"Lambda-Runtime-Function-Error-Type: X\r\n"), "trailers ['lambda-runtime-func"),
        (GOOD | {"Trailer": TYPE}, chunked(HEAD, b"%b: %b\r\n" % (TYPE.encode(), b"x" * 4096)), "suspiciously long"),
        ({}, b"no JSON", "no JSON: b'no JSON'"),
    ],
)
def test_an_answer_against_the_protocol_is_refused(headers: dict[str, str], body: bytes, why: str) -> None:
    with lambda_service() as service:
        invoked = given(service)
        assert post(service, f"/invocation/{invoked.request_id}/response", body, headers) == 400
        assert [violation[: len(why)] for violation in service.violations] == [why]
        service.violations.clear()


def _other(service: Lambda) -> int:
    given(service)
    return post(service, "/invocation/other/response", b"{}", {})


def _twice(service: Lambda) -> int:
    path = f"/invocation/{given(service).request_id}/response"
    assert post(service, path, b"{}", {}) == 202
    return post(service, path, b"{}", {})


def _late(service: Lambda) -> int:
    return post(service, f"/invocation/{given(service, within_s=-1).request_id}/response", b"{}", {})


def _untyped(service: Lambda) -> int:
    return post(service, f"/invocation/{given(service).request_id}/error", b"{}", {})


@pytest.mark.parametrize(("does", "status"), [(_other, 400), (_twice, 403), (_late, 403), (_untyped, 400)])
def test_an_answer_out_of_its_turn_is_refused(does: Callable[[Lambda], int], status: int) -> None:
    with lambda_service() as service:
        assert does(service) == status
        assert len(service.violations) == 1
        service.violations.clear()
