"""Stored responses with the official SDK: retrieve, input items, delete; before and after they are recorded."""

from __future__ import annotations

from typing import Any

import pytest
from openai import NotFoundError, OpenAI

from foundation import blobs
from tests.capture.responses import assistant, record, user
from tests.flow.system import System

CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "rain"}


@pytest.fixture
def pushed(system: System) -> dict[str, Any]:
    """A response that follows another one, as the wrapper pushes it."""
    records = [record("a", "one"), record("b", [user("two"), CALL, OUTPUT], assistant("2"), previous="a")]
    system.ok("POST", "/v1/captures", records)
    system.settle()
    return records[1]["response"]


def test_it_is_given_back_as_it_was_pushed(pushed: dict[str, Any], client: OpenAI) -> None:
    read = client.responses.retrieve("resp_b", include=["reasoning.encrypted_content"])
    assert read.to_dict() == {**pushed, "metadata": {}}
    assert read.output_text == "2"


def test_its_metadata_is_that_of_today(pushed: dict[str, Any], client: OpenAI) -> None:
    assert pushed
    client.chat.completions.update("resp_b", metadata={"feature": "triage"})
    assert client.responses.retrieve("resp_b").metadata == {"feature": "triage"}


def test_its_input_items_are_those_of_the_whole_chain_newest_first(pushed: dict[str, Any], client: OpenAI) -> None:
    assert pushed
    items = client.responses.input_items
    newest = [item.type for item in items.list("resp_b")]
    assert newest == ["function_call_output", "function_call", "message", "message", "message"]
    texts = [item.content[0].text for item in items.list("resp_b", order="asc") if item.type == "message"]  # type: ignore[union-attr]
    assert texts == ["one", "answer a", "two"]


def test_input_items_come_in_pages(pushed: dict[str, Any], client: OpenAI) -> None:
    assert pushed
    page = client.responses.input_items.list("resp_b", limit=2)
    assert (len(page.data), page.has_more) == (2, True)
    assert len({item.id for item in page}) == 5


def test_what_is_deleted_is_gone_as_a_response_and_as_a_completion(
    pushed: dict[str, Any], client: OpenAI, system: System
) -> None:
    assert pushed
    client.responses.delete("resp_b")
    for path in ("/v1/responses/resp_b", "/v1/responses/resp_b/input_items", "/v1/chat/completions/resp_b"):
        assert system.call("GET", path)[0] == 404
    assert [completion.id for completion in client.chat.completions.list()] == ["resp_a"]


def test_a_chat_completion_is_no_response(client: OpenAI, system: System) -> None:
    chat = {"id": "chatcmpl-1", "choices": [{"message": {"role": "assistant", "content": "a"}}]}
    request = {"model": "m", "messages": [{"role": "user", "content": "q"}]}
    system.ok("POST", "/v1/captures", {"request": request, "response": chat})
    system.settle()
    for read in (client.responses.retrieve, client.responses.delete):
        with pytest.raises(NotFoundError):
            read("chatcmpl-1")


def test_it_is_streamed_from_the_event_that_is_wanted(pushed: dict[str, Any], client: OpenAI) -> None:
    events = list(client.responses.retrieve("resp_b", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed"
    assert events[-1].response.to_dict() == {**pushed, "metadata": {}}
    rest = client.responses.retrieve("resp_b", stream=True, starting_after=2, include_obfuscation=False)
    assert list(rest) == events[3:]


@pytest.mark.parametrize("query", ["stream=perhaps", "stream=true&starting_after=x", "starting_after=-1"])
def test_how_it_is_streamed_is_checked(pushed: dict[str, Any], system: System, query: str) -> None:
    assert pushed
    status, refusal = system.call("GET", f"/v1/responses/resp_b?{query}")
    assert (status, refusal["error"]["param"]) == (400, query.rpartition("&")[2].partition("=")[0])
    assert system.call("GET", "/v1/responses/resp_b?stream=false&starting_after=3")[0] == 200


def test_one_whose_object_is_lost_is_not_found_and_nothing_goes_on_from_it(
    pushed: dict[str, Any], system: System
) -> None:
    assert pushed
    blobs.delete(list(blobs.keys("completions/")))
    assert system.call("GET", "/v1/responses/resp_b")[0] == 404
    status, refusal = system.call(
        "POST", "/v1/responses", {"model": "m", "input": "x", "previous_response_id": "resp_b"}
    )
    assert (status, refusal["error"]["code"]) == (400, "previous_response_not_found")
