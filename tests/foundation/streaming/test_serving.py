"""The runtime, held to Lambda's protocol by a double of its Runtime API."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from queue import Queue
from typing import Any

import pytest

from foundation.streaming.invocation import Invocation
from tests.runtime_api import ARN, TRACE, Invoked, http_event, lambda_service, runtime

OF_URL = http_event("POST", "/v1/x", b"{}", {})
OF_API = http_event("POST", "/v1/x", b"{}", {}, domain="abc.execute-api.us-east-1.amazonaws.com")
WHOLE = {"statusCode": 201, "headers": {"content-type": "text/plain"}, "body": "whole", "isBase64Encoded": False}

type Handler = Callable[[Any, Invocation], Any]


def invoked(handler: Handler, *events: Any) -> list[Invoked]:
    """What became of these events, one after the other."""
    with lambda_service() as service, runtime(service, handler):
        return [service.invoke(event).wait() for event in events]


def in_pieces(*pieces: bytes) -> Handler:
    def handler(_: Any, context: Invocation) -> Any:
        context.follow(iter(pieces))
        return {"statusCode": 200, "headers": {"content-type": "text/event-stream"}}

    return handler


def test_who_asks_by_the_function_s_own_url_gets_the_pieces_as_they_are_made() -> None:
    """The second piece is made only after the first has been read: nobody waits for the whole."""
    told: Queue[bytes] = Queue()

    def pieces() -> Iterator[bytes]:
        yield b"first"
        yield told.get(timeout=10)

    def handler(_: Any, context: Invocation) -> Any:
        context.follow(pieces())
        return {"statusCode": 200, "headers": {"content-type": "text/event-stream"}}

    with lambda_service() as service, runtime(service, handler):
        answer = service.invoke(OF_URL)
        read = answer.read()
        assert next(read) == b"first"
        assert not answer.answered.is_set()
        told.put(b"second")
        assert list(read) == [b"second"]
        assert answer.wait().head == {"statusCode": 200, "headers": {"content-type": "text/event-stream"}}


def test_a_whole_answer_by_the_own_url_is_one_piece() -> None:
    text, raw, empty = invoked(
        lambda event, _: WHOLE | event.get("odd", {}),
        OF_URL,
        OF_URL | {"odd": {"body": "AP8=", "isBase64Encoded": True, "cookies": ["a=b"]}},
        OF_URL | {"odd": {"body": None, "statusCode": 404, "headers": {}}},
    )
    assert (text.head, text.body()) == ({"statusCode": 201, "headers": WHOLE["headers"]}, b"whole")
    assert (raw.head["cookies"], raw.body()) == (["a=b"], b"\x00\xff")
    # Without a body, clients of a URL that streams may wait for one.
    assert (empty.head, empty.body()) == ({"statusCode": 404}, b" ")


@pytest.mark.parametrize("event", [OF_API, {}, [], "by hand", {"requestContext": {"domainName": 7}}])
def test_every_other_caller_gets_the_whole_answer_of_the_managed_runtime(event: Any) -> None:
    [answer] = invoked(lambda *_: WHOLE, event)
    assert (answer.whole, answer.head) == (WHOLE, {})


def test_the_handler_has_lambda_s_context_and_the_trace_of_its_own_invocation() -> None:
    seen: list[Any] = []

    def handler(_: Any, context: Invocation) -> Any:
        left = context.get_remaining_time_in_millis()
        seen.append((context.aws_request_id, context.invoked_function_arn, context.function_name, left))
        seen.append((context.memory_limit_in_mb, os.environ["_X_AMZN_TRACE_ID"]))
        return {}

    [answer] = invoked(handler, OF_API)
    request_id, *named, left = seen[0]
    assert (request_id, named, seen[1]) == (answer.request_id, [ARN, "gateway"], ("1024", TRACE))
    assert 0 < left <= 60_000


class Odd(Exception):
    """What a handler may raise."""


@pytest.mark.parametrize("event", [OF_URL, OF_API])
def test_an_invocation_that_fails_is_told_and_logged_and_the_next_one_is_served(
    event: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def handler(event: Any, _: Invocation) -> Any:
        if "good" in event:
            return WHOLE
        raise Odd("zwölf\nlines")

    failed, answered = invoked(handler, event, event | {"good": True})
    assert failed.error_type == failed.error["errorType"] == "Odd"
    assert (failed.error["errorMessage"], failed.error["requestId"]) == ("zwölf\nlines", failed.request_id)
    assert "raise Odd" in failed.error["stackTrace"][-1]
    assert answered.body() == b"whole" or answered.whole == WHOLE
    [line] = [line for line in capsys.readouterr().out.split("\n") if line]
    assert line.startswith("[ERROR] Odd: zwölf\rlines\rTraceback (most recent call last):\r")


@pytest.mark.parametrize("event", [b"no JSON", OF_API | {"unwritable": True}, OF_URL | {"unwritable": True}])
def test_what_is_no_json_on_either_side_fails_the_invocation_alone(event: Any) -> None:
    failed, answered = invoked(lambda event, _: {1, 2} if "unwritable" in event else WHOLE, event, OF_API)
    assert failed.error_type in {"JSONDecodeError", "TypeError", "AttributeError"}
    assert answered.whole == WHOLE


def test_an_error_in_the_midst_of_a_body_is_told_as_trailers() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"first"
        raise Odd("broken off")

    def handler(_: Any, context: Invocation) -> Any:
        context.follow(pieces())
        return {"statusCode": 200}

    broken, after = invoked(handler, OF_URL, OF_URL)
    assert broken.body() == b"first"
    assert (broken.error_type, broken.error["errorMessage"]) == ("Odd", "broken off")
    assert after.error_type == "Odd"


@pytest.mark.parametrize(("depth", "message"), [(40, "broken off"), (0, "\u20ac" * 4000), (40, '"' * 4000)])
def test_a_long_trace_or_message_is_cut_to_what_trailers_may_have(depth: int, message: str) -> None:
    def deep(left: int) -> None:
        if not left:
            raise Odd(message)
        deep(left - 1)

    def pieces() -> Iterator[bytes]:
        yield b"first"
        deep(depth)

    def handler(_: Any, context: Invocation) -> Any:
        context.follow(pieces())
        return {"statusCode": 200}

    [broken] = invoked(handler, OF_URL)
    assert (broken.error_type, broken.error["errorType"]) == ("Odd", "Odd")
    assert broken.error["errorMessage"] == message[: len(broken.error["errorMessage"])] != ""
    assert not broken.error["stackTrace"] or "raise Odd" in broken.error["stackTrace"][-1]


def test_a_head_or_a_message_that_no_json_can_have_fails_the_invocation_alone() -> None:
    def handler(event: Any, _: Invocation) -> Any:
        if "raised" in event:
            raise Odd("cut \udc80")
        return WHOLE | ({} if "good" in event else {"headers": {"x": "\udcff"}})

    events = (OF_URL, OF_URL | {"raised": True}, OF_URL | {"good": True})
    head, raised, good = invoked(handler, *events)
    assert (head.error_type, raised.error["errorMessage"]) == ("TypeError", "cut \ufffd")
    assert good.body() == b"whole"


def test_a_body_is_read_to_its_end_where_lambda_closes_the_connection() -> None:
    """What a handler does at the end of its pieces is done, and before the next event is asked for."""
    done: list[str] = []

    def pieces() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * 100_000
        done.append("captured")

    def handler(_: Any, context: Invocation) -> Any:
        if done:
            return WHOLE
        context.follow(pieces())
        return {"statusCode": 200}

    with lambda_service() as service, runtime(service, handler):
        service.cut_after = 150_000
        cut = service.invoke(OF_URL).wait()
        assert (len(cut.body()) <= 150_000, done) == (True, ["captured"])
        service.cut_after = None
        assert service.invoke(OF_URL).wait().body() == b"whole"


def test_an_answer_after_the_deadline_is_refused_and_the_next_one_is_served() -> None:
    service_has_given_up = threading.Event()

    def handler(event: Any, _: Invocation) -> Any:
        if "late" in event:
            assert service_has_given_up.wait(10)
        return WHOLE

    with lambda_service() as service, runtime(service, handler):
        late = service.invoke(OF_API | {"late": True}, within_s=-1)
        service_has_given_up.set()
        late.wait()
        assert service.invoke(OF_API).wait().whole == WHOLE
        assert service.violations == ["an answer after the deadline"]
        service.violations.clear()


def test_empty_pieces_do_not_end_a_body() -> None:
    [answer] = invoked(in_pieces(b"a", b"", b"b"), OF_URL)
    assert answer.body() == b"ab"
