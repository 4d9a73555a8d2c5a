"""A streamed response by the gateway's own URL is given on event by event, and captured before its last one."""

from __future__ import annotations

import json
import threading
from typing import Any

import openai
import pytest
from openai import OpenAI

from gateway.responses.stream import events
from tests.flow.system import System
from tests.gateway.conftest import listed
from tests.gateway.provider import Said, Scripted, Spoken

ITEM = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "billing", "annotations": [], "logprobs": []}],
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_790_000_000,
    "model": "big",
    "status": "completed",
    "output": [ITEM],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {"input_tokens": 7, "output_tokens": 1, "total_tokens": 8},
}
EVENTS = [event + b"\n\n" for event in events(RESPONSE).split(b"\n\n") if event]
DELTA = next(place for place, event in enumerate(EVENTS) if b"output_text.delta" in event)


def test_the_first_words_are_read_before_the_last_and_the_next_request_may_name_it_at_once(
    live: OpenAI, provider: Scripted, system: System
) -> None:
    read = threading.Event()
    provider.responses = [Spoken(*EVENTS[: DELTA + 1], read, *EVENTS[DELTA + 1 :]), Spoken(*EVENTS)]
    kinds = []
    with live.responses.create(model="m", input="which?", stream=True, metadata={"a": "b"}) as stream:
        for event in stream:
            kinds.append(event.type)
            if event.type == "response.output_text.delta":
                assert not read.is_set()
                read.set()
            if event.type == "response.completed":
                assert (event.response.metadata, event.response.store) == ({"a": "b"}, True)
    assert kinds == [json.loads(event.partition(b"data: ")[2])["type"] for event in EVENTS]
    follow = live.responses.create(model="m", input="why?", previous_response_id="resp_1", stream=True)
    assert [event.type for event in follow][-1] == "response.completed"
    assert (provider.asked[0]["stream"], provider.asked[0]["store"]) == (True, False)
    assert len(provider.asked[1]["input"]) == 3
    stored = listed(system)
    assert stored[0]["choices"][0]["message"]["content"] == "billing"
    assert 0 <= stored[0]["first_token_ms"] <= stored[0]["latency_ms"]


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([Spoken.CUT], "stream_broken"),
        ([], "stream_broken"),
        ([b'data: {"type": "error", "code": "busy", "message": "m", "sequence_number": 9}\n\n'], "busy"),
    ],
)
def test_a_response_that_breaks_off_ends_with_an_error_and_is_not_captured(
    parts: list[bytes], code: str, live: OpenAI, provider: Scripted, system: System
) -> None:
    read = threading.Event()
    provider.responses = [Spoken(*EVENTS[: DELTA + 1], read, *parts)]
    with live.responses.create(model="m", input="which?", stream=True) as stream:
        assert [next(stream) for _ in range(DELTA + 1)]
        read.set()
        [last] = stream
    assert last.type == "error"
    assert last.code == code
    assert last.sequence_number > DELTA
    assert listed(system) == []


def test_a_response_that_failed_or_was_cut_off_is_captured_as_such(
    live: OpenAI, provider: Scripted, system: System
) -> None:
    incomplete = {**RESPONSE, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    provider.responses = [Spoken(events(incomplete))]
    *_, last = live.responses.create(model="m", input="which?", stream=True)
    assert last.type == "response.incomplete"
    assert [stored["choices"][0]["finish_reason"] for stored in listed(system)] == ["length"]


def test_what_fails_before_the_first_event_is_an_ordinary_error(live: OpenAI, provider: Scripted) -> None:
    provider.responses = [Said(400, b'{"error": {"message": "no", "code": "bad"}}', {})]
    with pytest.raises(openai.BadRequestError) as refused:
        live.responses.create(model="m", input="which?", stream=True)
    body: Any = refused.value.body
    assert body["code"] == "bad"


def test_an_event_that_nobody_knows_goes_through_as_it_came(live: OpenAI, provider: Scripted) -> None:
    odd = [b'event: keepalive\ndata: {"type":"keepalive"}\n\n', b"data: no JSON\n\n", b'data: {"x": 1}\n\n']
    provider.responses = [Spoken(EVENTS[0], *odd, *EVENTS[1:])]
    with live.responses.with_streaming_response.create(model="m", input="which?", stream=True) as raw:
        body = raw.read()
    assert b"".join(odd) in body
