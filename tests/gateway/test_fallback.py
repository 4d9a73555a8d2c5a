"""A fallback model answers where the first one is busy, broken or silent, and nowhere else."""

from __future__ import annotations

import json
import socket
import time

import pytest

from foundation import keys
from tests.flow.system import FakeContext, System
from tests.gateway.conftest import CHAT, listed
from tests.gateway.provider import COMPLETION, REQUEST, Further, Said, Scripted, answer

HEADER = {"x-stillhouse-fallback-model": "spare"}
TROUBLE = json.dumps({"error": {"message": "later", "type": "server_error", "param": None, "code": None}}).encode()
SPARE = answer(id="chatcmpl-spare", model="spare-2026")


@pytest.fixture(autouse=True)
def little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four seconds for the models, of which the first may use 2.4."""
    monkeypatch.setattr(FakeContext, "get_remaining_time_in_millis", lambda _: 6_000)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_model_that_stays_away_is_stood_in_for(status: int, system: System, provider: Scripted) -> None:
    provider.answers = [Said(status, TROUBLE, {"retry-after": "60"}), SPARE]
    code, body = system.call("POST", CHAT, {**REQUEST, "store": True}, headers=HEADER)
    assert (code, body["id"], body["model"]) == (200, "chatcmpl-spare", "spare-2026")
    assert system.headers["x-stillhouse-fallback"] == "spare"
    assert [request["model"] for request in provider.asked] == ["lab-small", "spare"]
    assert {**provider.asked[1], "model": "lab-small"} == REQUEST
    assert [completion["id"] for completion in listed(system, "?model=spare")] == ["chatcmpl-spare"]
    assert listed(system, "?model=lab-small") == []


def test_a_passing_trouble_needs_no_fallback(system: System, provider: Scripted) -> None:
    provider.answers[:0] = [Said(503, TROUBLE, {"retry-after-ms": "10"})]
    code, body = system.call("POST", CHAT, REQUEST, headers=HEADER)
    assert (code, body["id"]) == (200, COMPLETION["id"])
    assert "x-stillhouse-fallback" not in system.headers
    assert {request["model"] for request in provider.asked} == {"lab-small"}


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422])
def test_a_refusal_is_never_answered_by_another_model(status: int, system: System, provider: Scripted) -> None:
    provider.answers = [Said(status, TROUBLE, {"retry-after": "60"}), SPARE]
    assert system.call("POST", CHAT, REQUEST, headers=HEADER)[0] == status
    assert "x-stillhouse-fallback" not in system.headers
    assert len(provider.asked) == 1


def test_a_silent_model_leaves_time_for_the_other(
    system: System, further: Further, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = further(spares=None)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PROVIDER_BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
        started = time.monotonic()
        code, body = system.call("POST", CHAT, REQUEST, headers={"x-stillhouse-fallback-model": "spares/small"})
        took = time.monotonic() - started
    assert (code, body["id"]) == (200, "chatcmpl-spares")
    assert system.headers["x-stillhouse-fallback"] == "spares/small"
    assert [request["model"] for request in others["spares"].asked] == ["small"]
    assert 2.2 < took < 3.4


def test_a_model_that_stays_broken_is_not_asked_as_long_as_it_may_answer(
    system: System, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeContext, "get_remaining_time_in_millis", lambda _: 60_000)
    broken = Said(503, TROUBLE, {})
    monkeypatch.setattr(provider, "next", lambda asked: SPARE if asked["model"] == "spare" else broken)
    started = time.monotonic()
    assert system.call("POST", CHAT, REQUEST, headers=HEADER)[1]["id"] == "chatcmpl-spare"
    assert time.monotonic() - started < 3


def test_where_both_fail_the_first_models_failure_is_told(system: System, provider: Scripted) -> None:
    busy = Said(429, TROUBLE, {"retry-after": "60"})
    provider.answers = [busy, Said(404, b'{"error": {"message": "no such model"}}', {})]
    assert system.call("POST", CHAT, REQUEST, headers=HEADER) == (429, json.loads(TROUBLE))
    assert system.headers["retry-after"] == "60"
    assert "x-stillhouse-fallback" not in system.headers


def test_a_model_is_not_its_own_fallback(system: System, provider: Scripted) -> None:
    provider.answers = [Said(429, TROUBLE, {"retry-after": "60"})]
    assert system.call("POST", CHAT, REQUEST, headers={"x-stillhouse-fallback-model": "lab-small"})[0] == 429
    assert len(provider.asked) == 1


def test_a_streamed_call_is_stood_in_for_too(system: System, provider: Scripted) -> None:
    provider.answers = [Said(503, TROUBLE, {"retry-after": "60"}), SPARE]
    code, body = system.call("POST", CHAT, {**REQUEST, "stream": True}, headers=HEADER)
    assert (code, system.headers["x-stillhouse-fallback"]) == (200, "spare")
    assert '"model":"spare-2026"' in body


def test_a_key_brings_its_fallback_and_the_header_wins(system: System, provider: Scripted) -> None:
    _, token = keys.create(name="app", scopes=["infer"], fallback_model="of-the-key")
    for headers, model in (({}, "of-the-key"), (HEADER, "spare")):
        provider.answers = [Said(503, TROUBLE, {"retry-after": "60"}), SPARE]
        assert system.call("POST", CHAT, REQUEST, key=token, headers=headers)[0] == 200
        assert provider.asked[-1]["model"] == model


@pytest.mark.parametrize("text", ["", "  ", "m" * 257, "model\x07"])
def test_a_bad_header_is_named(text: str, system: System, provider: Scripted) -> None:
    status, refusal = system.call("POST", CHAT, REQUEST, headers={"x-stillhouse-fallback-model": text})
    assert (status, refusal["error"]["param"]) == (400, "X-Stillhouse-Fallback-Model")
    assert provider.asked == []
