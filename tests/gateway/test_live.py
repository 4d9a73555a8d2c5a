"""A streamed call by the gateway's own URL, through the runtime and a double of Lambda, is given on event by event."""

from __future__ import annotations

import json
import threading
from typing import Any

import openai
import pytest
from openai import OpenAI
from openai.lib.streaming.chat import ChatCompletionStreamState

from completions import handover
from foundation import edge
from tests.flow.system import KEY, System
from tests.gateway.conftest import listed
from tests.gateway.provider import (
    COMPLETION,
    COUNTED,
    DONE,
    END,
    REQUEST,
    WORDS,
    Further,
    Said,
    Scripted,
    Spoken,
    answer,
    chunk,
)
from tests.runtime_api import Invoked, Lambda, http_event

CHAT = "/v1/chat/completions"
STREAM = {**REQUEST, "stream": True}
TEXT = {"content-type": "text/event-stream"}


def asked(service: Lambda, request: dict[str, Any], *, within_s: float = 60.0, **headers: str) -> Invoked:
    sent = {"authorization": f"Bearer {KEY}", "content-type": "application/json", **headers}
    return service.invoke(http_event("POST", CHAT, json.dumps(request).encode(), sent), within_s=within_s)


def data(body: bytes) -> list[Any]:
    *events, rest = body.decode().split("\n\n")
    assert rest == ""
    texts = [event.removeprefix("data: ") for event in events]
    return [text if text == "[DONE]" else json.loads(text) for text in texts]


def test_the_first_token_is_read_before_the_provider_has_said_the_last(
    live: OpenAI, provider: Scripted, system: System
) -> None:
    read = threading.Event()
    provider.answers = [Spoken(*WORDS[:2], read, *WORDS[2:], *END)]
    state = ChatCompletionStreamState()
    with live.chat.completions.create(
        model="lab-small",
        messages=REQUEST["messages"],
        stream=True,
        stream_options={"include_usage": True},
        store=True,
        metadata={"feature": "triage"},
    ) as stream:
        for chunk in stream:
            state.handle_chunk(chunk)
            if chunk.choices and chunk.choices[0].delta.content == "bill":
                assert not read.is_set()
                read.set()
    whole = state.get_final_completion()
    assert (whole.choices[0].message.content, whole.usage and whole.usage.total_tokens) == ("billing", 8)
    [stored] = listed(system, "?metadata[feature]=triage")
    assert (stored["choices"][0]["message"]["content"], stored["usage"]) == ("billing", COMPLETION["usage"])
    assert 0 <= stored["first_token_ms"] <= stored["latency_ms"]
    assert stored["id"] == whole.id == COMPLETION["id"]


def test_events_go_through_as_they_came(gateway: Lambda, provider: Scripted) -> None:
    odd = [b'data: {"id": "c",  "choices": [], "x_new": 1.50}\n\n', b"data: no JSON\n\n"]
    provider.answers = [Spoken(*WORDS, b": a comment\n\n", *odd, END[0], COUNTED, DONE)]
    options = {"include_usage": True, "include_obfuscation": False}
    answered = asked(gateway, {**STREAM, "stream_options": options})
    assert answered.body() == b"".join([*WORDS, *odd, *END])
    assert provider.asked == [{**STREAM, "stream_options": options}]
    assert answered.wait().head["statusCode"] == 200
    assert answered.head["headers"]["Content-Type"] == "text/event-stream"
    assert answered.head["headers"]["x-request-id"] == answered.request_id


def test_usage_is_captured_and_is_the_caller_s_only_where_it_was_asked_for(
    gateway: Lambda, provider: Scripted, system: System
) -> None:
    last = chunk({}, "stop", usage=COMPLETION["usage"])
    provider.answers = [Spoken(*WORDS, *END), Spoken(*WORDS, last, DONE)]
    chunks = data(asked(gateway, {**STREAM, "store": True}).body())
    assert not any("usage" in chunk for chunk in chunks)
    assert len(chunks) == len([*WORDS, *END]) - 1
    # What a provider says unasked beside a choice is its own word.
    assert data(asked(gateway, STREAM).body())[-2]["usage"] == COMPLETION["usage"]
    assert [stored["usage"] for stored in listed(system)] == [COMPLETION["usage"]]


def test_what_stands_in_a_chunk_without_choices_beside_the_usage_to_come_is_given_on(
    gateway: Lambda, provider: Scripted
) -> None:
    """Azure says first what its filters found in the prompt."""
    found = chunk({}, choices=[], prompt_filter_results=[{"prompt_index": 0}])
    provider.answers = [Spoken(found, *WORDS, *END)]
    chunks = data(asked(gateway, STREAM).body())
    assert chunks[0]["prompt_filter_results"] == [{"prompt_index": 0}]
    assert not any("usage" in chunk for chunk in chunks)
    assert len(chunks) == len([found, *WORDS, *END]) - 1


def test_tags_come_once_and_headers_say_who_answered(gateway: Lambda, provider: Scripted) -> None:
    provider.answers = [Said(500, b"", {}), Spoken(*WORDS, *END)]
    request = {**STREAM, "metadata": {"a": "b"}}
    headers = {"x-stillhouse-fallback-model": "other", "x-stillhouse-store": "true"}
    provider.answers = [Said(503, b"{}", {"x-should-retry": "false"}), Spoken(*WORDS, *END)]
    answered = asked(gateway, request, **headers)
    assert [chunk.get("metadata") for chunk in data(answered.body())[:-1]] == [{"a": "b"}, None, None, None]
    assert answered.head["headers"]["x-stillhouse-fallback"] == "other"
    assert [request["model"] for request in provider.asked] == ["lab-small", "other"]


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        (Said(400, b'{"error": {"code": "bad"}}', {}), 400, "bad"),
        (Said(400, b'{"error": {"code": "odd"}}', {"retry-after": "\xff"}), 400, "odd"),
        (Said(429, b'{"error": {"code": "slow"}}', {"retry-after": "7", "x-should-retry": "false"}), 429, "slow"),
        (Spoken(b'data: {"error": {"code": 401, "message": "no"}}\n\n'), 401, 401),
        (Spoken(b'data: {"error": {"code": "overloaded"}}\n\n', kind="text/event-stream"), 502, "overloaded"),
    ],
)
def test_what_fails_before_the_first_event_is_an_ordinary_error(
    said: Said | Spoken, status: int, code: Any, gateway: Lambda, provider: Scripted
) -> None:
    provider.answers = [said]
    answered = asked(gateway, STREAM, within_s=4.0)
    assert json.loads(answered.body())["error"]["code"] == code
    assert answered.head["statusCode"] == status
    assert answered.head["headers"]["Content-Type"] == "application/json"
    assert answered.head["headers"].get("retry-after") == ("7" if status == 429 else None)


def test_a_wrong_key_and_a_wrong_request_are_refused_as_ever(live: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="Missing required parameter: 'messages'"):
        live.chat.completions.create(model="m", messages=[], stream=True)
    with pytest.raises(openai.AuthenticationError):
        live.with_options(api_key="sk-sh-first-wrong").chat.completions.create(
            model="m", messages=REQUEST["messages"], stream=True
        )


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([Spoken.CUT], "stream_broken"),
        ([], "stream_broken"),
        ([b'data: {"error": {"message": "overloaded", "code": "busy"}}\n\n', *END], "busy"),
    ],
)
def test_a_stream_that_breaks_off_ends_with_an_error_and_is_not_captured(
    parts: list[bytes], code: str, live: OpenAI, provider: Scripted, system: System
) -> None:
    read = threading.Event()
    provider.answers = [Spoken(*WORDS, read, *parts), Spoken(*WORDS, *END)]
    with live.chat.completions.create(
        model="lab-small", messages=REQUEST["messages"], stream=True, store=True
    ) as stream:
        assert [next(stream).choices[0].delta.content for _ in WORDS] == ["", "bill", "ing"]
        read.set()
        with pytest.raises(openai.APIError) as broken:
            next(stream)
    assert broken.value.code == code
    assert len(provider.asked) == 1
    assert listed(system) == []
    # The runtime serves on.
    assert asked_again(live) == "billing"


def asked_again(client: OpenAI) -> str:
    stream = client.chat.completions.create(model="lab-small", messages=REQUEST["messages"], stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def test_a_stream_whose_time_is_over_says_so(
    gateway: Lambda, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = threading.Event()
    monkeypatch.setattr("gateway.answers.seconds_left", lambda _: 3.5)
    provider.answers = [Spoken(*WORDS, never, *END)]
    answered = asked(gateway, {**STREAM, "store": True})
    assert data(answered.body())[-1]["error"]["code"] == "timeout"
    never.set()


def test_a_client_that_goes_away_leaves_the_call_to_be_captured(
    live: OpenAI, provider: Scripted, system: System
) -> None:
    """Lambda tells nobody, and the answer was paid for."""
    gone = threading.Event()
    provider.answers = [Spoken(*WORDS[:2], gone, *WORDS[2:], *END)]
    stream = live.chat.completions.create(model="lab-small", messages=REQUEST["messages"], stream=True, store=True)
    next(iter(stream))
    stream.close()
    gone.set()
    assert asked_again(live) == "billing"
    assert [stored["choices"][0]["message"]["content"] for stored in listed(system)] == ["billing"]


def test_the_capture_comes_after_the_last_token_and_before_the_last_event(
    gateway: Lambda, provider: Scripted, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens_read, captured = threading.Event(), threading.Event()
    hand_over = handover.hand_over

    def handed_over(batch_id: str, completions: Any) -> None:
        assert tokens_read.wait(10)
        hand_over(batch_id, completions)
        captured.set()

    monkeypatch.setattr("gateway.capturing.hand_over", handed_over)
    provider.answers = [Spoken(*WORDS, *END)]
    pieces = asked(gateway, {**STREAM, "store": True}).read()
    assert [next(pieces) for _ in (*WORDS, END[0])]
    assert not captured.is_set()
    tokens_read.set()
    assert next(pieces) == DONE
    assert captured.is_set()
    assert list(pieces) == []
    assert len(listed(system)) == 1


def test_a_call_is_captured_where_lambda_has_hung_up(gateway: Lambda, provider: Scripted, system: System) -> None:
    gateway.cut_after = 200
    provider.answers = [Spoken(*WORDS * 2000, *END)]
    asked(gateway, {**STREAM, "store": True}).wait()
    [stored] = listed(system)
    assert stored["choices"][0]["message"]["content"] == "billing" * 2000


def test_a_capture_that_fails_does_not_fail_the_stream(
    gateway: Lambda, provider: Scripted, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("no queue")

    monkeypatch.setattr("gateway.capturing.hand_over", broken)
    provider.answers = [Spoken(*WORDS, *END)]
    assert data(asked(gateway, {**STREAM, "store": True}).body())[-1] == "[DONE]"
    assert "CaptureFailed" in capsys.readouterr().out


def test_what_ends_without_a_reason_is_given_on_and_not_captured(
    gateway: Lambda, provider: Scripted, system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it was to be captured, that it is not is counted as any capture that fails."""
    provider.answers = [Spoken(*WORDS, DONE), Spoken(*WORDS, DONE), Spoken(*WORDS, END[0])]
    assert data(asked(gateway, STREAM).body())[-1] == "[DONE]"
    assert "CaptureFailed" not in capsys.readouterr().out
    assert data(asked(gateway, {**STREAM, "store": True}).body())[-1] == "[DONE]"
    assert "CaptureFailed" in capsys.readouterr().out
    assert listed(system) == []
    # The other way round it is whole: some servers say no [DONE].
    assert data(asked(gateway, {**STREAM, "store": True}).body())[-1] == "[DONE]"
    assert len(listed(system)) == 1


def test_whoever_has_no_streams_answers_as_events_all_the_same(gateway: Lambda, provider: Scripted) -> None:
    provider.answers = [answer()]
    events = data(asked(gateway, STREAM).body())
    assert events[0]["choices"][0]["delta"]["content"] == "billing"
    assert events[-1] == "[DONE]"


def test_whole_answers_by_the_own_url_are_as_they_were(live: OpenAI, provider: Scripted, system: System) -> None:
    provider.answers = [answer()]
    whole = live.chat.completions.create(model="lab-small", messages=REQUEST["messages"], store=True)
    assert whole.choices[0].message.content == "billing"
    assert "stream" not in provider.asked[0]
    [stored] = listed(system)
    assert stored["first_token_ms"] is None


def test_the_http_api_gets_the_stream_whole_from_the_same_function(gateway: Lambda, provider: Scripted) -> None:
    """It invokes the function with a request of its own, and can make nothing of pieces."""
    body = json.dumps(STREAM).encode()
    event = http_event("POST", CHAT, body, {"authorization": f"Bearer {KEY}"}, domain="x.execute-api.eu.amazonaws.com")
    whole = gateway.invoke(event).wait().whole
    assert whole["statusCode"] == 200
    assert whole["body"].endswith("data: [DONE]\n\n")
    assert "stream" not in provider.asked[0]


def test_an_answer_larger_than_lambda_takes_at_once_is_streamed(gateway: Lambda, provider: Scripted) -> None:
    large = chunk({"content": "x" * 500_000})
    provider.answers = [Spoken(*WORDS, *[large] * 14, *END)]
    assert len(asked(gateway, STREAM).body()) > edge.MAX_ANSWER


def test_an_alias_is_streamed_and_captured(gateway: Lambda, further: Further, system: System) -> None:
    scripts = further(there=["small"])
    scripts["there"].answers = [Spoken(*WORDS, *END)]
    system.ok("PUT", "/v1/aliases/quick", {"targets": [{"model": "small", "weight": 1}]})
    answered = asked(gateway, {**STREAM, "model": "quick", "store": True})
    assert data(answered.body())[-1] == "[DONE]"
    assert answered.head["headers"]["x-stillhouse-alias"] == "quick@1"
    [stored] = listed(system)
    assert (stored["alias"]["name"], stored["alias"]["target"]) == ("quick", "small")
