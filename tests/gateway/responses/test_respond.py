"""`POST /v1/responses` with the official SDK: forwarded or mapped, streamed, chained, captured."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, BadRequestError, NotFoundError, OpenAI
from pydantic import BaseModel

from gateway.responses import respond
from tests.api.sdk import Transport, client_of
from tests.capture.responses import assistant, response
from tests.flow.system import FakeContext, System
from tests.gateway.conftest import listed
from tests.gateway.provider import Further, Said, Scripted, answer
from tests.gateway.responses.build import CALL, TOOL

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
ASK: dict[str, Any] = {"model": "lab-small", "input": "Where does it go?"}


def said(**fields: Any) -> Said:
    """A response, as a provider with the Responses API answers."""
    return Said(200, json.dumps({**response("there", assistant("billing")), **fields}).encode(), {})


# ---------------------------------------------------------------- a provider without the Responses API


def test_the_lab_answers_responses_as_it_answers_chats(system: System, client: OpenAI) -> None:
    question = 'Which queue, "billing" or "orders"? I was charged twice on my bill.'
    answered = client.responses.create(model="lab-small", input=question, metadata={"feature": "triage"})
    asked = {"model": "lab-small", "messages": [{"role": "user", "content": question}]}
    chat = system.ok("POST", CHAT, asked)
    assert answered.output_text == chat["choices"][0]["message"]["content"]
    assert answered.usage is not None
    assert answered.usage.total_tokens == chat["usage"]["total_tokens"]
    assert (answered.status, answered.metadata) == ("completed", {"feature": "triage"})
    (stored,) = listed(system, "?metadata[feature]=triage")
    assert stored["id"] == answered.id
    assert stored["choices"][0]["message"]["content"] == answered.output_text
    assert isinstance(stored["latency_ms"], int)


def test_it_is_asked_for_the_chat_and_from_then_on_only_for_that(client: OpenAI, provider: Scripted) -> None:
    for _ in range(2):
        assert client.responses.create(**ASK, instructions="Route it.").output_text == "billing"
    assert provider.paths == [RESPONSES, CHAT, CHAT]
    messages = [{"role": "system", "content": "Route it."}, {"role": "user", "content": ASK["input"]}]
    assert provider.asked[1:] == [{"model": "lab-small", "messages": messages}] * 2


def test_a_large_one_too_may_be_named_before_it_is_recorded(system: System, provider: Scripted) -> None:
    """It is too large for a row, and lies in S3 for as long."""
    text = random.Random(7).randbytes(400_000).hex()
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    provider.answers = [answer(), answer(choices=[choice]), answer()]
    first = system.ok("POST", RESPONSES, ASK)
    large = system.ok("POST", RESPONSES, {**ASK, "previous_response_id": first["id"]})
    system.ok("POST", RESPONSES, {**ASK, "previous_response_id": large["id"]})
    assert [message["content"] for message in provider.asked[-1]["messages"]][1::2] == ["billing", text]


def test_what_a_chat_cannot_say_is_refused_and_not_asked(client: OpenAI, provider: Scripted) -> None:
    with pytest.raises(BadRequestError) as refused:
        client.responses.create(**ASK, tools=[{"type": "web_search"}])
    assert (refused.value.param, refused.value.code) == ("tools[0]", "unsupported_parameter")
    assert provider.paths == [RESPONSES]


def test_a_call_goes_round(client: OpenAI, provider: Scripted) -> None:
    message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    call = answer(choices=[{"index": 0, "finish_reason": "tool_calls", "message": message}])
    provider.answers = [call, answer()]
    first = client.responses.create(**ASK, tools=[TOOL])  # type: ignore[list-item]
    (item,) = first.output
    assert item.type == "function_call"
    output = {"type": "function_call_output", "call_id": item.call_id, "output": "rain"}
    last = client.responses.create(model="lab-small", input=[output], previous_response_id=first.id)  # type: ignore[list-item]
    assert last.output_text == "billing"
    assert provider.asked[-1]["messages"] == [
        {"role": "user", "content": ASK["input"]},
        {**message, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": CALL["id"], "content": "rain"},
    ]


class Queue(BaseModel):
    to: str


def test_structured_output_is_parsed(client: OpenAI, provider: Scripted) -> None:
    message = {"role": "assistant", "content": '{"to": "billing"}'}
    provider.answers = [answer(choices=[{"index": 0, "finish_reason": "stop", "message": message}])]
    assert client.responses.parse(**ASK, text_format=Queue).output_parsed == Queue(to="billing")
    assert provider.asked[-1]["response_format"]["json_schema"]["schema"]["required"] == ["to"]


def test_an_answer_that_is_no_chat_is_a_502_and_is_not_captured(system: System, provider: Scripted) -> None:
    provider.answers = [Said(200, b'{"choices": []}', {})]
    status, refusal = system.call("POST", RESPONSES, ASK)
    assert (status, refusal["error"]["code"]) == (502, "invalid_provider_answer")
    assert listed(system) == []


# ---------------------------------------------------------------- a provider with the Responses API


def test_it_is_sent_the_request_and_its_answer_comes_back(system: System, client: OpenAI, provider: Scripted) -> None:
    provider.responses = [said(tools=[{"type": "web_search"}], x_new={"kept": 1.5})]
    sent = {**ASK, "tools": [{"type": "web_search"}], "truncation": "auto"}
    got = client.responses.create(**sent, metadata={"a": "b"}, extra_body={"x_new": True})
    assert provider.paths == [RESPONSES]
    assert provider.asked == [{**sent, "x_new": True, "store": False}]
    there = json.loads(provider.responses[0].body)
    ours = {"metadata": {"a": "b"}, "store": True, "previous_response_id": None}
    assert got.to_dict() == {**there, **ours}
    (stored,) = listed(system, "?metadata[a]=b")
    assert (stored["id"], stored["choices"][0]["message"]["content"]) == ("resp_there", "billing")


def test_its_404_about_a_model_is_passed_on(client: OpenAI, provider: Scripted) -> None:
    refusal = {"error": {"message": "no such model", "type": "x", "param": "model", "code": "model_not_found"}}
    provider.responses = [Said(404, json.dumps(refusal).encode(), {})]
    with pytest.raises(NotFoundError):
        client.responses.create(**ASK)
    assert provider.paths == [RESPONSES]


def test_a_model_that_is_missing_everywhere_teaches_nothing_about_the_provider(
    system: System, provider: Scripted
) -> None:
    missing = Said(404, b'{"error": {"message": "model not found"}}', {})
    provider.responses, provider.answers = [missing, said()], [missing]
    assert system.call("POST", RESPONSES, ASK)[0] == 404
    assert system.ok("POST", RESPONSES, ASK)["id"] == "resp_there"


@pytest.mark.parametrize(("has", "path"), [("true", RESPONSES), ("false", CHAT)])
def test_whether_it_has_the_api_can_be_set(
    has: str, path: str, system: System, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVIDER_RESPONSES", has)
    system.call("POST", RESPONSES, ASK)
    assert provider.paths == [path]


def test_the_items_before_go_along_and_no_id_that_the_provider_does_not_keep(
    client: OpenAI, provider: Scripted
) -> None:
    provider.responses = [said()]
    first = client.responses.create(**ASK)
    client.responses.create(model="lab-small", input="And then?", previous_response_id=first.id)
    asked = provider.asked[-1]
    assert "previous_response_id" not in asked
    assert [item["role"] for item in asked["input"]] == ["user", "assistant", "user"]
    assert "msg_1" not in json.dumps(asked)


@pytest.mark.parametrize("stream", [False, True])
def test_its_error_with_status_200_is_passed_on(stream: bool, system: System, provider: Scripted) -> None:
    error = {"error": {"message": "overloaded", "code": "busy"}}
    provider.responses = [Said(200, json.dumps(error).encode(), {})]
    status, answered = system.call("POST", RESPONSES, {**ASK, "stream": stream})
    response = json.loads(answered.removeprefix("data: ")) if stream else answered
    assert (status, response) == (200, error)
    assert listed(system) == []


# ---------------------------------------------------------------- streams


@pytest.mark.parametrize("has", [False, True])
def test_a_stream_brings_the_response_that_is_captured(
    has: bool, system: System, client: OpenAI, provider: Scripted
) -> None:
    provider.responses = [said()] if has else []
    with client.responses.stream(**ASK, metadata={"kind": "streamed"}) as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        whole = stream.get_final_response()
    assert "".join(deltas) == whole.output_text == "billing"
    assert "stream" not in provider.asked[-1]
    (stored,) = listed(system, "?metadata[kind]=streamed")
    assert stored["id"] == whole.id
    assert client.responses.retrieve(whole.id).output_text == "billing"


def test_the_async_client_creates_and_streams(system: System, provider: Scripted) -> None:
    assert provider

    class Async(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            return await asyncio.to_thread(Transport(system).handle_request, request)

    async def use() -> tuple[str, str]:
        http_client = httpx2.AsyncClient(transport=Async())
        async with AsyncOpenAI(base_url="http://stillhouse.test/v1", api_key="x", http_client=http_client) as client:
            client.api_key = client_of(system).api_key
            whole = await client.responses.create(**ASK)
            async with client.responses.stream(**ASK) as stream:
                return whole.output_text, (await stream.get_final_response()).output_text

    assert asyncio.run(use()) == ("billing", "billing")


# ---------------------------------------------------------------- chains


def test_a_response_can_be_gone_on_from_at_once_and_when_it_is_recorded(
    system: System, client: OpenAI, provider: Scripted
) -> None:
    first = client.responses.create(**ASK)
    second = client.responses.create(model="lab-small", input="two", previous_response_id=first.id)
    system.settle()
    client.responses.create(model="lab-small", input="three", previous_response_id=second.id)
    turns = [(message["role"], message["content"]) for message in provider.asked[-1]["messages"]]
    question = ("user", ASK["input"])
    assert turns == [question, ("assistant", "billing"), ("user", "two"), ("assistant", "billing"), ("user", "three")]
    assert second.previous_response_id == first.id


@pytest.mark.parametrize("settled", [False, True])
def test_a_deleted_one_cannot(settled: bool, system: System, client: OpenAI, provider: Scripted) -> None:
    assert provider
    first = client.responses.create(**ASK)
    if settled:
        system.settle()
    client.responses.delete(first.id)
    with pytest.raises(BadRequestError) as refused:
        client.responses.create(**ASK, previous_response_id=first.id)
    assert refused.value.code == "previous_response_not_found"
    with pytest.raises(NotFoundError):
        client.responses.retrieve(first.id)
    assert listed(system) == []


def test_neither_can_what_was_never_captured_or_is_a_chat(system: System, provider: Scripted) -> None:
    system.ok("POST", CHAT, {"model": "lab-small", "messages": [{"role": "user", "content": "a"}], "store": True})
    (chat,) = listed(system)
    for previous, code in (
        ("resp_x", "previous_response_not_found"),
        (chat["id"], "invalid_value"),
        (7, "invalid_type"),
    ):
        status, refusal = system.call("POST", RESPONSES, {**ASK, "previous_response_id": previous})
        assert (status, refusal["error"]["code"]) == (400, code)
        assert refusal["error"]["param"] == "previous_response_id"
    assert provider.paths == [CHAT]


def test_a_chain_that_is_too_long_is_refused(
    system: System, client: OpenAI, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provider
    first = client.responses.create(**ASK)
    monkeypatch.setattr("gateway.responses.chain.MAX_BODY", 20)
    status, refusal = system.call("POST", RESPONSES, {**ASK, "previous_response_id": first.id})
    assert (status, refusal["error"]["code"]) == (400, "history_too_large")


# ---------------------------------------------------------------- what is captured, and as for chats


@pytest.mark.parametrize(
    ("body", "headers", "captured"),
    [
        ({}, {}, True),
        ({"store": None}, {}, True),
        ({"store": False}, {}, False),
        ({}, {"x-stillhouse-store": "false"}, False),
        ({"store": True}, {"x-stillhouse-store": "false"}, True),
    ],
)
def test_it_is_captured_unless_somebody_says_no(
    body: dict[str, Any], headers: dict[str, str], captured: bool, system: System, provider: Scripted
) -> None:
    assert provider
    status, answered = system.call("POST", RESPONSES, {**ASK, **body}, headers=headers)
    assert (status, answered["store"]) == (200, captured)
    assert len(listed(system)) == captured


def test_what_was_sent_and_answered_stays_beside_the_chat(system: System, client: OpenAI, provider: Scripted) -> None:
    assert provider
    got = client.responses.create(**ASK, temperature=0.5)
    system.settle()
    original = system.ok("GET", f"{CHAT}/{got.id}")["original"]
    assert original["request"] == {**ASK, "temperature": 0.5}
    assert original["response"] == got.to_dict()
    assert original["input_items"][0]["content"] == [{"type": "input_text", "text": ASK["input"]}]


def test_the_fallback_model_of_another_provider_is_asked(system: System, provider: Scripted, further: Further) -> None:
    others = further(other=["small"])
    busy = Said(503, b'{"error": {"message": "no"}}', {"x-should-retry": "false"})
    provider.responses, provider.answers = [busy], [busy]
    status, answered = system.call("POST", RESPONSES, ASK, headers={"x-stillhouse-fallback-model": "small"})
    assert (status, answered["model"], system.headers["x-stillhouse-fallback"]) == (200, "of-other", "small")
    assert others["other"].paths == [RESPONSES, CHAT]


def slowly(*_: Any) -> Said:
    time.sleep(0.6)
    return answer()


def test_a_provider_that_is_too_slow_is_a_504_that_names_the_other_url(
    system: System, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provider
    monkeypatch.setattr(FakeContext, "get_remaining_time_in_millis", lambda _: 2_100)
    monkeypatch.setattr(provider, "next", slowly)
    status, refusal = system.call("POST", RESPONSES, ASK)
    assert (status, refusal["error"]["code"], system.headers["x-should-retry"]) == (504, "timeout", "false")
    assert "GatewayUrl" in refusal["error"]["message"]


def test_an_answer_that_is_too_large_says_where_it_is(
    system: System, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provider
    monkeypatch.setattr("foundation.edge.MAX_ANSWER", 200)
    _, refusal = system.call("POST", RESPONSES, ASK)
    assert (refusal["error"]["code"], refusal["error"]["type"]) == ("answer_too_large", "server_error")
    assert "GET https://api.test/v1/responses/resp_" in refusal["error"]["message"]


def test_a_capture_that_fails_does_not_fail_the_call(
    system: System, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provider

    def broken(*_: Any) -> None:
        raise ValueError("no")

    monkeypatch.setattr(respond, "call_as_chat", broken)
    assert system.ok("POST", RESPONSES, ASK)["status"] == "completed"
    assert listed(system) == []
