"""A buffered stream, read back by the openai SDK's own accumulator, is the completion that was answered."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from gateway.stream import events
from stillhouse.capturing.assemble import completion_in
from tests.flow import loop
from tests.flow.system import System

CALL = {"id": "call_1", "type": "function", "function": {"name": "route", "arguments": '{"to": "billing"}'}}


def completion(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    choices = [
        {"index": number, "finish_reason": "tool_calls" if "tool_calls" in message else "stop", "message": message}
        for number, message in enumerate(messages)
    ]
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m"}
    return {**head, "choices": choices, "usage": usage, **fields}


def chunks(body: bytes) -> list[dict[str, Any]]:
    *parts, end, rest = body.decode().split("\n\n")
    assert (end, rest) == ("data: [DONE]", "")
    return [orjson.loads(part.removeprefix("data: ")) for part in parts]


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "assistant", "content": "billing", "refusal": None}],
        [{"role": "assistant", "content": None, "refusal": "no"}],
        [{"role": "assistant", "content": None, "tool_calls": [CALL, {**CALL, "id": "call_2"}]}],
        [{"role": "assistant", "content": "one"}, {"role": "assistant", "content": "zwei\n\ndata: [DONE]"}],
    ],
)
def test_the_sdk_reads_the_same_completion_back(messages: list[dict[str, Any]]) -> None:
    answered = completion(*messages)
    state = ChatCompletionStreamState()
    for chunk in chunks(events(answered, include_usage=True)):
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk, strict=True))
    read = state.get_final_completion()
    assert (read.id, read.model, read.created) == ("chatcmpl-1", "m", 1)
    assert read.usage is not None
    assert read.usage.total_tokens == 5
    for choice, wanted in zip(read.choices, answered["choices"], strict=True):
        assert choice.finish_reason == wanted["finish_reason"]
        assert choice.message.content == wanted["message"]["content"]
        assert choice.message.refusal == wanted["message"].get("refusal")
        calls = [(call.id, call.function.arguments) for call in choice.message.tool_calls or []]
        assert calls == [
            (call["id"], call["function"]["arguments"]) for call in wanted["message"].get("tool_calls", [])
        ]


RICH = {
    "role": "assistant",
    "content": None,
    "reasoning_content": "First, the tone.",
    "reasoning_details": [{"type": "reasoning.text", "text": "First, the tone.", "index": 0}],
    "annotations": [{"type": "url_citation", "url_citation": {"url": "https://example.com", "title": "é"}}],
    "tool_calls": [{**CALL, "index": 0}, {**CALL, "id": "call_2", "index": 0}],
    "x_new": {"deep": [1.5, True]},
}


def test_fields_that_nobody_knows_come_streamed_as_they_come_whole() -> None:
    """`reasoning_content`, `annotations`, `citations` and `provider` vanished with `stream`."""
    answered = completion(RICH, {"role": "assistant", "content": "x"})
    answered |= {"citations": ["https://example.com"], "provider": "somebody", "x_new": {"kept": [1]}}
    answered["choices"][0] |= {"native_finish_reason": "TOOL", "content_filter_results": {"hate": {"filtered": False}}}
    read = chunks(events(answered, include_usage=True))
    assert [chunk.get("citations") for chunk in read] == [["https://example.com"], None, None, None, None]
    # What stillhouse's wrapper makes of the stream is what the provider said.
    again = completion_in(events(answered, include_usage=True))
    calls = [CALL, {**CALL, "id": "call_2"}]
    message = {**RICH, "refusal": None, "tool_calls": calls}
    first, second = answered["choices"]
    second["message"]["refusal"] = None
    assert again == {**answered, "choices": [{**first, "message": message}, second]}
    state = ChatCompletionStreamState()
    for chunk in read:
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk, strict=True))
    whole = state.get_final_completion().choices[0].message.to_dict()
    for name in ("reasoning_content", "reasoning_details", "x_new"):
        assert whole[name] == RICH[name]


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "overloaded", "code": 502}},
        {"id": "c", "choices": []},
        {"id": "c", "choices": ["odd"]},
        {"id": "c", "choices": [{"message": "odd"}]},
        {"id": "c", "choices": [{"message": {"tool_calls": ["odd"]}}]},
        {"id": "c", "choices": {"message": {}}},
    ],
)
def test_what_is_no_completion_is_one_event_as_it_is(body: dict[str, Any]) -> None:
    assert chunks(events(body, include_usage=True)) == [body]


def test_usage_comes_last_and_only_when_asked_for() -> None:
    answered = completion({"role": "assistant", "content": "x"})
    plain = chunks(events(answered, include_usage=False))
    assert not any("usage" in chunk for chunk in plain)
    *first, last = chunks(events(answered, include_usage=True))
    assert all(chunk["usage"] is None for chunk in first)
    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 5)


def test_a_streamed_call_is_answered_as_events_and_captured_whole(system: System) -> None:
    request = {
        "model": "lab-small",
        "messages": loop.messages(1),
        "stream": True,
        "stream_options": {"include_usage": True},
        "store": True,
        "metadata": {"kind": "streamed"},
    }
    status, body = system.call("POST", "/v1/chat/completions", request)
    assert status == 200
    read = chunks(body.encode())
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in read if chunk["choices"])
    system.settle()
    (stored,) = system.ok("GET", "/v1/chat/completions?metadata[kind]=streamed")["data"]
    assert stored["choices"][0]["message"]["content"] == text
    assert (stored["id"], stored["usage"]) == (read[0]["id"], read[-1]["usage"])


def test_a_choice_without_a_message_says_nothing() -> None:
    body = events({"id": "c", "choices": [{"index": 0, "finish_reason": "content_filter"}]}, include_usage=False)
    first, last, done = [line.removeprefix(b"data: ") for line in body.split(b"\n\n") if line]
    assert (orjson.loads(first)["choices"][0]["delta"], done) == ({}, b"[DONE]")
    assert orjson.loads(last)["choices"][0]["finish_reason"] == "content_filter"
