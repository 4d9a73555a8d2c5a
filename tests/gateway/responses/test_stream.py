"""The events of a response are those of the SDK's own types, and its accumulator reads the same response back."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from gateway.responses.stream import events
from tests.capture.responses import assistant, response
from tests.gateway.responses.build import ANSWERS, responded

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}
SUMMARY = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "so"}],
    "encrypted_content": "x",
}


def read(body: bytes) -> list[dict[str, Any]]:
    """The events in a stream; each names its type twice."""
    *frames, rest = body.decode().split("\n\n")
    assert rest == ""
    read_events = []
    for frame in frames:
        name, data = frame.split("\n")
        read_events.append(orjson.loads(data.removeprefix("data: ")))
        assert name == f"event: {read_events[-1]['type']}"
    return read_events


RESPONSES = {name: responded(**answer) for name, answer in ANSWERS.items()} | {
    "hosted tools": response("a", SUMMARY, SEARCH, assistant("found")),
    "failed": response("b", status="failed", error={"code": "server_error", "message": "no"}),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_the_sdk_reads_the_same_response_back(name: str) -> None:
    whole = RESPONSES[name]
    state: Any = ResponseStreamState(input_tools=omit, text_format=omit)
    for event in read(events(whole)):
        state.handle_event(EVENT.validate_python(event))
    *_, last = read(events(whole))
    assert last["response"] == whole
    assert last["type"] == f"response.{whole['status']}"


@pytest.mark.parametrize("name", RESPONSES)
def test_deltas_say_the_whole_and_sequence_numbers_count(name: str) -> None:
    whole = RESPONSES[name]
    response = read(events(whole))
    assert [event["sequence_number"] for event in response] == list(range(len(response)))
    assert [event["type"] for event in response[:2]] == ["response.created", "response.in_progress"]
    assert response[0]["response"]["output"] == []
    texts = [
        part["text"] for item in whole["output"] for part in item.get("content", ()) if part["type"] == "output_text"
    ]
    assert [event["delta"] for event in response if event["type"] == "response.output_text.delta"] == texts
    arguments = [item["arguments"] for item in whole["output"] if item["type"] == "function_call"]
    assert [e["delta"] for e in response if e["type"] == "response.function_call_arguments.delta"] == arguments
    done = [event["item"] for event in response if event["type"] == "response.output_item.done"]
    assert done == whole["output"]


ODD_ITEMS: dict[str, dict[str, Any]] = {
    "a part of a new kind": {"type": "message", "id": "m", "content": [{"type": "output_audio", "data": "x"}]},
    "a text without its text": {"type": "message", "id": "m", "content": [{"type": "output_text"}]},
    "a part that is a text": {"type": "message", "id": "m", "content": ["billing"]},
    "a content that is a text": {"type": "message", "id": "m", "content": "billing"},
    "a part whose type is no text": {"type": "message", "id": "m", "content": [{"type": ["output_text"]}]},
    "annotations that are no list": {
        "type": "message",
        "id": "m",
        "content": [{"type": "output_text", "text": "a", "annotations": 1}],
    },
    "a call without arguments": {"type": "function_call", "id": "f", "name": "now"},
    "a call without a name": {"type": "function_call", "id": "f", "arguments": "{}"},
    "reasoning without a text": {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text"}]},
    "a type that is no text": {"type": 1},
}


@pytest.mark.parametrize("name", ODD_ITEMS)
def test_an_item_of_another_shape_comes_as_a_whole(name: str) -> None:
    """Its provider was paid for it: a stream that fails would lose the answer."""
    whole = {"id": "resp_a", "status": "completed", "output": [ODD_ITEMS[name]]}
    response = read(events(whole))
    assert [event["item"] for event in response if event["type"] == "response.output_item.done"] == whole["output"]
    assert (response[-1]["type"], response[-1]["response"]) == ("response.completed", whole)


@pytest.mark.parametrize("output", [None, {}, ["billing"], [None]])
def test_what_has_no_items_is_one_event_as_it_is(output: Any) -> None:
    assert events({"output": output}) == b"data: " + orjson.dumps({"output": output}) + b"\n\n"


def test_a_text_comes_in_openais_order() -> None:
    assert [event["type"].removeprefix("response.") for event in read(events(RESPONSES["text"]))] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
