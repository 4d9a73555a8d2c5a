"""The gateway over HTTP: it forwards, captures when asked to, passes refusals on, and never loses a completion."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import socket
import threading
import time
from typing import Any

import httpx
import pytest

from foundation import blobs, table
from gateway import capturing
from tests.flow import loop
from tests.flow.system import FakeContext, System
from tests.gateway.conftest import CHAT, listed
from tests.gateway.provider import COMPLETION, REQUEST, Said, Scripted


def test_the_request_goes_on_and_the_answer_comes_back(system: System, provider: Scripted) -> None:
    asked = {**REQUEST, "store": True, "metadata": {"feature": "reply"}, "x_extra": {"kept": True}}
    status, answer = system.call("POST", CHAT, asked)
    assert status == 200
    assert answer == {**COMPLETION, "metadata": {"feature": "reply"}}
    assert provider.asked == [{**REQUEST, "x_extra": {"kept": True}}]


def test_store_captures_what_was_asked_and_answered(system: System, provider: Scripted) -> None:
    assert provider
    system.ok("POST", CHAT, {**REQUEST, "store": True, "metadata": {"feature": "reply"}})
    (completion,) = listed(system, "?metadata[feature]=reply")
    assert completion["id"] == COMPLETION["id"]
    assert completion["choices"] == COMPLETION["choices"]
    assert completion["usage"] == COMPLETION["usage"]
    assert completion["metadata"] == {"feature": "reply"}
    assert completion["temperature"] == 0
    assert isinstance(completion["latency_ms"], int)
    messages = system.ok("GET", f"{CHAT}/{COMPLETION['id']}/messages")["data"]
    assert [message["content"] for message in messages] == [message["content"] for message in REQUEST["messages"]]
    by_either_name = [listed(system, f"?model={name}") for name in ("lab-small", "big-2026-11-01")]
    assert [len(match) for match in by_either_name] == [1, 1]


@pytest.mark.parametrize("extra", [{}, {"store": False}, {"store": None}])
def test_without_store_nothing_is_captured(extra: dict[str, Any], system: System, provider: Scripted) -> None:
    status, answer = system.call("POST", CHAT, {**REQUEST, **extra, "metadata": {"feature": "reply"}})
    assert (status, answer["id"]) == (200, COMPLETION["id"])
    assert len(provider.asked) == 1
    assert listed(system) == []


def test_a_real_model_answers(system: System) -> None:
    status, answer = system.call("POST", CHAT, {**REQUEST, "store": True})
    assert status == 200
    assert answer["choices"][0]["message"]["content"] in loop.LABELS
    assert [completion["id"] for completion in listed(system)] == [answer["id"]]


def test_a_completion_too_large_for_a_message_is_captured_all_the_same(system: System, provider: Scripted) -> None:
    assert provider
    noise = base64.b64encode(random.Random(3).randbytes(720_000)).decode()
    system.ok("POST", CHAT, {**REQUEST, "messages": [{"role": "user", "content": noise}], "store": True})
    assert len(list(blobs.keys("inbox/"))) == 1
    assert [completion["id"] for completion in listed(system)] == [COMPLETION["id"]]
    (message,) = system.ok("GET", f"{CHAT}/{COMPLETION['id']}/messages")["data"]
    assert message["content"] == noise


@pytest.mark.parametrize("extra", [{}, {"stream": True}])
def test_an_answer_that_is_too_large_and_not_stored_says_how_to_keep_it(
    extra: dict[str, Any], system: System, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provider
    monkeypatch.setattr("foundation.edge.MAX_ANSWER", 200)
    status, answer = system.call("POST", CHAT, {**REQUEST, **extra})
    assert (status, answer["error"]["code"]) == (502, "answer_too_large")
    assert "store=true" in answer["error"]["message"]
    assert system.headers["x-should-retry"] == "false"


def test_a_refusal_that_is_too_large_keeps_its_status(
    system: System, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foundation.edge.MAX_ANSWER", 200)
    provider.answers = [Said(422, json.dumps({"error": {"message": "x" * 300}}).encode(), {})]
    status, answer = system.call("POST", CHAT, REQUEST)
    assert (status, answer["error"]["code"]) == (422, "answer_too_large")


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_refusal_is_passed_on_as_it_is(status: int, system: System, provider: Scripted) -> None:
    refusal = {"error": {"message": "no", "type": "invalid_request_error", "param": "model", "code": "odd"}}
    provider.answers = [Said(status, json.dumps(refusal).encode(), {"x-should-retry": "false"})]
    assert system.call("POST", CHAT, {**REQUEST, "store": True}) == (status, refusal)
    assert system.headers["x-should-retry"] == "false"
    assert len(provider.asked) == 1
    assert listed(system) == []


def test_a_busy_provider_that_names_a_long_wait_is_passed_on_with_it(system: System, provider: Scripted) -> None:
    busy = {"error": {"message": "slow down", "type": "rate_limit_error", "param": None, "code": "rate"}}
    provider.answers = [Said(429, json.dumps(busy).encode(), {"retry-after": "90"})]
    started = time.monotonic()
    assert system.call("POST", CHAT, REQUEST) == (429, busy)
    assert system.headers["retry-after"] == "90"
    assert time.monotonic() - started < 5
    assert len(provider.asked) == 1


INFINITE = b'{"id": "chatcmpl-inf", "model": "m", "choices": [{"index": 0, "finish_reason": "stop", "logprobs": '
INFINITE += b'{"content": [{"token": "a", "logprob": -Infinity}]}, "message": {"role": "assistant", "content": "a"}}]}'


@pytest.mark.parametrize("extra", [{}, {"stream": True}])
def test_an_answer_with_an_infinite_logprob_is_an_answer(
    extra: dict[str, Any], system: System, provider: Scripted
) -> None:
    provider.answers = [Said(200, INFINITE, {})]
    status, answer = system.call("POST", CHAT, {**REQUEST, "store": True, "logprobs": True, **extra})
    assert (status, len(provider.asked)) == (200, 1)
    if not extra:
        assert answer == json.loads(INFINITE, parse_constant=lambda _: None)
    [stored] = listed(system)
    assert stored["choices"][0]["logprobs"] == {"content": [{"token": "a", "logprob": None}]}


@pytest.mark.parametrize("body", [INFINITE[:-9], b'["odd"]', b'{"a": ' * 400])
def test_an_answer_that_nobody_can_read_was_paid_for_and_is_not_asked_for_again(
    body: bytes, system: System, provider: Scripted
) -> None:
    provider.answers = [Said(200, body, {})]
    status, answer = system.call("POST", CHAT, {**REQUEST, "store": True})
    assert (status, answer["error"]["code"], len(provider.asked)) == (502, "unreadable_answer", 1)
    assert system.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("extra", [{}, {"stream": True}])
def test_an_error_with_status_200_is_passed_on(extra: dict[str, Any], system: System, provider: Scripted) -> None:
    provider.answers = [Said(200, b'{"error": {"message": "overloaded", "code": 502}}', {})]
    status, answer = system.call("POST", CHAT, {**REQUEST, **extra})
    shown = answer if not extra else json.loads(answer.partition("data: ")[2].partition("\n")[0])
    assert (status, shown) == (200, {"error": {"message": "overloaded", "code": 502}})


@pytest.mark.parametrize("status", [429, 500])
def test_a_provider_that_says_no_retry_is_not_asked_again(status: int, system: System, provider: Scripted) -> None:
    trouble = {"error": {"message": "no quota", "type": "insufficient_quota", "param": None, "code": None}}
    provider.answers[:0] = [Said(status, json.dumps(trouble).encode(), {"x-should-retry": "false"})]
    assert system.call("POST", CHAT, REQUEST) == (status, trouble)
    assert system.headers["x-should-retry"] == "false"
    assert len(provider.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_trouble_is_asked_again(status: int, system: System, provider: Scripted) -> None:
    trouble = Said(status, b'{"error": {"message": "later"}}', {"retry-after-ms": "10"})
    provider.answers[:0] = [trouble, trouble]
    answered, answer = system.call("POST", CHAT, {**REQUEST, "store": True})
    assert (answered, answer["id"]) == (200, COMPLETION["id"])
    assert len(provider.asked) == 3
    assert len(listed(system)) == 1


def test_a_fault_of_the_lab_is_asked_again(system: System) -> None:
    httpx.post(f"{system.lab}/lab/faults", json={"path": "/chat/completions", "status": 429, "times": 1})
    status, _ = system.call("POST", CHAT, REQUEST)
    assert status == 200


def test_a_trouble_that_stays_is_passed_on_at_the_deadline(
    system: System, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeContext, "get_remaining_time_in_millis", lambda _: 3_000)
    down = {"error": {"message": "overloaded", "type": "server_error", "param": None, "code": None}}
    provider.answers = [Said(503, json.dumps(down).encode(), {})]
    assert system.call("POST", CHAT, REQUEST) == (503, down)
    assert len(provider.asked) > 1


def test_no_answer_in_time_is_a_504_that_the_sdk_does_not_retry(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeContext, "get_remaining_time_in_millis", lambda _: 2_600)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PROVIDER_BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
        started = time.monotonic()
        status, answer = system.call("POST", CHAT, {**REQUEST, "store": True})
    assert time.monotonic() - started < 2.6
    assert (status, answer["error"]["code"]) == (504, "timeout")
    assert answer["error"]["message"].startswith("The provider 'default' did not answer in time.")
    assert "GatewayUrl" in answer["error"]["message"]
    assert system.headers["x-should-retry"] == "false"
    assert listed(system) == []


def test_a_capture_that_fails_never_fails_the_completion(
    system: System,
    provider: Scripted,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert provider
    monkeypatch.setenv("RECORD_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/record")
    status, answer = system.call("POST", CHAT, {**REQUEST, "store": True})
    assert (status, answer["id"]) == (200, COMPLETION["id"])
    assert [entry.message for entry in caplog.records if entry.levelname == "ERROR"] == ["capture failed"]
    (metric,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert metric["CaptureFailed"] == [1.0]
    (directive,) = metric["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("stillhouse", [["service"]])
    assert metric["service"] == "stillhouse"


def test_a_capture_that_hangs_does_not_hold_the_answer_back(
    system: System, provider: Scripted, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert provider
    monkeypatch.setattr(FakeContext, "get_remaining_time_in_millis", lambda _: 3_000)
    over = threading.Event()
    monkeypatch.setattr(capturing, "hand_over", lambda *_: over.wait(30))
    started = time.monotonic()
    try:
        assert system.call("POST", CHAT, {**REQUEST, "store": True})[0] == 200
        assert time.monotonic() - started < 3.5
    finally:
        over.set()
    assert '"CaptureFailed"' in capsys.readouterr().out


def test_a_capture_that_succeeds_counts_no_failure(
    system: System, provider: Scripted, capsys: pytest.CaptureFixture[str]
) -> None:
    assert provider
    system.ok("POST", CHAT, {**REQUEST, "store": True})
    assert "CaptureFailed" not in capsys.readouterr().out


BAD = {
    "no model": ({"model": None}, "model"),
    "empty model": ({"model": ""}, "model"),
    "model is a number": ({"model": 4}, "model"),
    "no messages": ({"messages": None}, "messages"),
    "empty messages": ({"messages": []}, "messages"),
    "messages are text": ({"messages": "hi"}, "messages"),
    "a message is text": ({"messages": [*loop.messages(0), "hi"]}, "messages[2]"),
    "stream options are text": ({"stream": True, "stream_options": "all"}, "stream_options"),
    "metadata is a list": ({"metadata": ["a"]}, "metadata"),
    "a number in metadata": ({"metadata": {"user": 7}}, "metadata.user"),
    "an endless value": ({"metadata": {"user": "v" * 513}}, "metadata.user"),
    "store is text": ({"store": "yes"}, "store"),
    "store is a number": ({"store": 1}, "store"),
    "17 pairs": ({"metadata": {str(n): "v" for n in range(17)}}, "metadata"),
}


def test_a_bad_request_is_refused_naming_its_field_and_not_forwarded(system: System, provider: Scripted) -> None:
    for name, (fields, param) in BAD.items():
        body = {key: value for key, value in {**REQUEST, **fields}.items() if value is not None}
        status, refusal = system.call("POST", CHAT, body)
        assert (status, refusal["error"]["param"]) == (400, param), name
        assert refusal["error"]["type"] == "invalid_request_error"
    for raw in (b"{oops", b"[]", b'"text"'):
        assert system.call("POST", CHAT, raw)[0] == 400, raw
    assert provider.asked == []


def test_a_call_takes_a_key_that_may_infer(system: System, provider: Scripted) -> None:
    assert system.call("POST", CHAT, REQUEST, key=None)[0] == 401
    pusher = "sk-sh-pusher-0123456789"
    digest = hashlib.sha256(pusher.encode()).hexdigest()
    table.put({"pk": "KEY", "sk": "pusher", "sha256": digest, "scopes": "capture read write"})
    status, refusal = system.call("POST", CHAT, REQUEST, key=pusher)
    assert (status, refusal["error"]["code"]) == (403, "insufficient_permissions")
    assert provider.asked == []
