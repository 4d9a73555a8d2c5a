"""A response of a provider that has only chat completions is given on event by event, too."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from openai import OpenAI
from openai.types.responses import Response

from tests.flow.system import System
from tests.gateway.conftest import listed
from tests.gateway.provider import COUNTED, DONE, END, WORDS, Scripted, Spoken, answer, chunk

CALLS = [
    chunk(
        {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}]}
    ),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"x":'}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}),
]
CALLED = [chunk({}, "tool_calls"), COUNTED, DONE]
THOUGHTS = [chunk({"role": "assistant", "reasoning_content": "First, "}), chunk({"reasoning_content": "the tone."})]


def streamed(client: OpenAI, **request: Any) -> list[Any]:
    return list(client.responses.create(model="m", input="which?", stream=True, **request))


def put_together(client: OpenAI) -> Response:
    """What the SDK's own accumulator makes of the events; it holds each piece against the item that it belongs to."""
    with client.responses.stream(model="m", input="which?") as stream:
        for _ in stream:
            pass
        return stream.get_final_response()


def test_the_first_words_are_read_before_the_last_and_the_whole_is_captured(
    live: OpenAI, provider: Scripted, system: System
) -> None:
    read = threading.Event()
    provider.answers = [Spoken(*WORDS[:2], read, *WORDS[2:], *END), Spoken(*WORDS, *END)]
    kinds = []
    with live.responses.create(model="m", input="which?", stream=True, metadata={"a": "b"}) as stream:
        for number, event in enumerate(stream):
            assert event.sequence_number == number
            kinds.append(event.type)
            if event.type == "response.output_text.delta" and not read.is_set():
                assert event.delta == "bill"
                read.set()
        last: Any = event
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert (last.response.output_text, last.response.metadata, last.response.store) == ("billing", {"a": "b"}, True)
    assert last.response.usage.total_tokens == 8
    # It may be named at once.
    assert streamed(live, previous_response_id=last.response.id)[-1].type == "response.completed"
    assert [message["content"] for message in provider.asked[1 + 1]["messages"]] == ["which?", "billing", "which?"]
    stored = listed(system)
    assert [completion["choices"][0]["message"]["content"] for completion in stored] == ["billing", "billing"]
    assert 0 <= stored[0]["first_token_ms"] <= stored[0]["latency_ms"]


@pytest.mark.parametrize(
    ("parts", "items"),
    [
        ([*WORDS, *END], ["message"]),
        ([*THOUGHTS, *WORDS, *END], ["reasoning", "message"]),
        ([*WORDS, *CALLS, *CALLED], ["message", "function_call"]),
        ([*THOUGHTS, *CALLS, *CALLED], ["reasoning", "function_call"]),
        ([*CALLS, *WORDS, *CALLED], ["message", "function_call"]),
        ([chunk({"refusal": "I will not."}), *END], ["message"]),
        ([*WORDS, chunk({"refusal": "No."}), *END], ["message"]),
        ([chunk({"role": "assistant"}), *END], ["message"]),
    ],
)
def test_the_sdk_makes_of_the_events_what_the_last_one_says(
    parts: list[bytes], items: list[str], live: OpenAI, provider: Scripted
) -> None:
    provider.answers = [Spoken(*parts)]
    events = streamed(live)
    last = events[-1].response
    assert [item.type for item in last.output] == items
    done = {event.output_index: event.item for event in events if event.type == "response.output_item.done"}
    assert [done[position].to_dict() for position in sorted(done)] == [item.to_dict() for item in last.output]
    added = [event.item.id for event in events if event.type == "response.output_item.added"]
    assert added == [item.id for item in last.output]
    assert put_together(live).output_text == last.output_text


def test_a_call_of_a_tool_is_a_token_too(live: OpenAI, provider: Scripted, system: System) -> None:
    provider.answers = [Spoken(*CALLS, *CALLED)]
    streamed(live)
    [stored] = listed(system)
    assert 0 <= stored["first_token_ms"] <= stored["latency_ms"]


def test_what_is_thought_after_the_answer_has_begun_stands_in_the_last_event(live: OpenAI, provider: Scripted) -> None:
    provider.answers = [Spoken(*THOUGHTS, *WORDS, chunk({"reasoning_content": " Yes."}), *END)]
    last = streamed(live)[-1].response
    assert last.output[0].content[0].text == "First, the tone. Yes."
    provider.answers = [Spoken(*WORDS, *THOUGHTS, *END)]
    events = streamed(live)
    assert [item.type for item in events[-1].response.output] == ["message", "reasoning"]
    assert [event.output_index for event in events if event.type == "response.output_item.added"] == [0, 1]


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([*WORDS, DONE], "stream_broken"),
        (WORDS, "stream_broken"),
        ([*WORDS, b'data: {"error": {"message": "overloaded", "code": 503}}\n\n'], "503"),
        ([b'data: {"id": "c", "choices": [{"delta": {}}], "usage": 7}\n\n', b"data: odd\n\n"], "stream_broken"),
    ],
)
def test_what_breaks_off_ends_with_an_error_and_is_not_captured(
    parts: list[bytes], code: str, live: OpenAI, provider: Scripted, system: System
) -> None:
    provider.answers = [Spoken(*parts)]
    last = streamed(live)[-1]
    assert (last.type, last.code) == ("error", code)
    assert listed(system) == []


def test_an_answer_that_was_cut_off_is_incomplete(live: OpenAI, provider: Scripted) -> None:
    provider.answers = [Spoken(*WORDS, chunk({}, "length"), DONE)]
    last = streamed(live)[-1]
    assert (last.type, last.response.incomplete_details.reason) == ("response.incomplete", "max_output_tokens")


def test_whoever_has_no_streams_answers_as_events_all_the_same(
    live: OpenAI, provider: Scripted, system: System
) -> None:
    provider.answers = [answer()]
    assert streamed(live)[-1].type == "response.completed"
    assert len(listed(system)) == 1
