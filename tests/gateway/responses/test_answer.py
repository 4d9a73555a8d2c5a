"""The response that a chat completion becomes is one of the SDK's own, and says the same."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from openai.types.responses import Response

from completions.responses import as_chat
from gateway.responses.answer import response_of
from providers import ProviderRefused
from tests.gateway.responses.build import ANSWERS, CALL, chat, responded


def kinds(response: dict[str, Any]) -> list[str]:
    return [item["type"] for item in response["output"]]


@pytest.mark.parametrize("name", ANSWERS)
def test_it_says_what_the_chat_said_when_it_is_read_as_a_chat_again(name: str) -> None:
    answer = ANSWERS[name]
    read, _ = as_chat.chat_response(as_chat.Response.model_validate(responded(**answer)))
    message, choice = answer["message"], read["choices"][0]
    content = message.get("content")
    text = "".join(part.get("text", "") for part in content) if isinstance(content, list) else content
    assert (choice["message"].get("content") or "") == (text or "")
    assert choice["message"]["refusal"] == message.get("refusal")
    calls = message.get("tool_calls") or ([{"id": ""}] if "function_call" in message else [])
    assert len(choice["message"].get("tool_calls", [])) == len(calls)
    reasons = {"function_call": "tool_calls"}
    wanted = "tool_calls" if calls else answer.get("finish_reason", "stop")
    assert choice["finish_reason"] == reasons.get(wanted, wanted)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("text", ["message"]),
        ("nothing", ["message"]),
        ("calls", ["function_call", "function_call"]),
        ("text and a call", ["message", "function_call"]),
        ("custom call", ["custom_tool_call"]),
        ("reasoning", ["reasoning", "message"]),
        ("reasoning elsewhere", ["reasoning", "message"]),
        ("reasoning as a part", ["reasoning", "message"]),
    ],
)
def test_its_items_come_in_openais_order(name: str, wanted: list[str]) -> None:
    assert kinds(responded(**ANSWERS[name])) == wanted


@pytest.mark.parametrize("name", ["reasoning", "reasoning elsewhere", "reasoning as a part"])
def test_reasoning_is_an_item_wherever_a_provider_puts_it(name: str) -> None:
    response = Response.model_validate(responded(**ANSWERS[name]))
    assert response.output_text == "42"
    assert response.output[0].to_dict()["content"] == [{"type": "reasoning_text", "text": "6 times 7"}]


@pytest.mark.parametrize(
    ("finish_reason", "status", "reason"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("eos", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
    ],
)
def test_a_finish_reason_is_a_status(finish_reason: str, status: str, reason: str | None) -> None:
    response = responded({"content": "a"}, finish_reason)
    assert response["status"] == response["output"][0]["status"] == status
    assert response["incomplete_details"] == (None if reason is None else {"reason": reason})
    assert (response["completed_at"] is None) is (reason is not None)


def test_usage_and_details_are_those_of_the_chat() -> None:
    usage = Response.model_validate(responded({"content": "a"})).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (9, 5, 14)
    assert (usage.input_tokens_details.cached_tokens, usage.output_tokens_details.reasoning_tokens) == (4, 2)
    assert responded({"content": "a"}, usage=None)["usage"] is None
    plain = responded({"content": "a"}, usage={"prompt_tokens": 1, "completion_tokens": 2})
    assert plain["usage"]["total_tokens"] == 3


@pytest.mark.parametrize(
    "odd",
    [
        {"created": "yesterday"},
        {"created": 1e300},
        {"model": ["big"]},
        {"service_tier": 3},
        {"usage": "many"},
        {"usage": {"prompt_tokens": None, "completion_tokens": "5", "prompt_tokens_details": []}},
        {"choice": {"logprobs": {"content": [{"logprob": -1}]}}},
        {"choice": {"finish_reason": 0}},
    ],
)
def test_what_cannot_be_read_beside_the_message_does_not_lose_it(odd: dict[str, Any]) -> None:
    """It was a 502 that the provider was paid for."""
    answer = responded({"content": "billing"}, **odd)
    assert orjson.loads(orjson.dumps(answer)) == answer
    response = Response.model_validate(answer)
    assert (response.output_text, response.status) == ("billing", "completed")


def test_what_was_asked_stands_in_the_response() -> None:
    request = {"temperature": 0.5, "instructions": "Be kind.", "reasoning": {"effort": "low"}, "tools": []}
    response = responded({"content": "a"}, request=request)
    assert {name: response[name] for name in ("temperature", "instructions", "tools")} == {
        "temperature": 0.5,
        "instructions": "Be kind.",
        "tools": [],
    }
    assert response["reasoning"] == {"effort": "low", "summary": None}
    assert (response["tool_choice"], response["parallel_tool_calls"], response["model"]) == ("auto", True, "big-2026")


def test_a_call_keeps_its_id_and_one_without_gets_one() -> None:
    assert responded(**ANSWERS["calls"])["output"][0]["call_id"] == CALL["id"]
    (call,) = responded(**ANSWERS["call without id"])["output"]
    assert call["call_id"].startswith("call_")
    assert call["arguments"] == '{"a":1}'


def test_a_call_that_names_no_tool_is_no_item() -> None:
    for empty in ({"function": None}, {"custom": None, "type": "custom"}, {"type": "function"}):
        assert kinds(responded({"content": None, "tool_calls": [{"id": "c", **empty}, CALL]})) == ["function_call"]


@pytest.mark.parametrize(
    ("part", "item"),
    [
        ({"type": "output_text", "text": "42"}, {"type": "output_text", "text": "42"}),
        ({"type": "refusal", "refusal": "No."}, {"type": "refusal", "refusal": "No."}),
        ({"type": "reasoning", "text": "6 times 7"}, {"type": "reasoning_text", "text": "6 times 7"}),
    ],
)
def test_a_part_is_read_as_in_every_answer(part: dict[str, Any], item: dict[str, Any]) -> None:
    """What a provider's parts say was lost where only Mistral's were known."""
    part_out = responded({"content": [part]})["output"][0]["content"][0]
    assert {name: part_out[name] for name in item} == item


def test_an_infinite_log_probability_is_the_least_that_openai_gives() -> None:
    tokens = [{"token": "a", "logprob": None}, {"token": "b", "logprob": -0.5, "bytes": [98]}]
    response = responded({"content": "ab"}, choice={"logprobs": {"content": tokens}})
    (part,) = response["output"][0]["content"]
    assert [(token["logprob"], token["bytes"]) for token in part["logprobs"]] == [(-9999.0, []), (-0.5, [98])]


def test_citations_are_annotations_and_nothing_else_is() -> None:
    page = {"url": "https://a.test", "title": "A", "start_index": 0, "end_index": 1}
    nested = {"type": "url_citation", "url_citation": page}
    bare = {"type": "url_citation", "url": "https://b.test"}
    response = responded({"content": "a", "annotations": [nested, bare, {"type": "x"}, {"type": "url_citation"}]})
    (part,) = response["output"][0]["content"]
    assert [annotation["url"] for annotation in part["annotations"]] == ["https://a.test", "https://b.test"]
    assert part["annotations"][0] == {"type": "url_citation", **page}


def test_an_error_with_status_200_is_passed_on_as_a_502() -> None:
    error = {"error": {"message": "overloaded", "code": "busy"}}
    with pytest.raises(ProviderRefused) as refused:
        response_of(error, {"model": "big"})
    assert (refused.value.status, refused.value.message, refused.value.code) == (502, "overloaded", "busy")


@pytest.mark.parametrize(
    "answered", [{}, {"choices": []}, {"choices": None}, {"choices": ["text"]}, chat({"content": 7}), {"error": {}}]
)
def test_what_is_no_chat_completion_is_a_502_that_names_the_field(answered: dict[str, Any]) -> None:
    with pytest.raises(ProviderRefused) as refused:
        response_of(answered, {"model": "big"})
    assert (refused.value.status, refused.value.code) == (502, "invalid_provider_answer")
    assert "'choices" in refused.value.message
