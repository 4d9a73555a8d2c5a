"""What a request for a response asks as a chat completion, and what a chat cannot say."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolUnionParam
from pydantic import TypeAdapter

from foundation.errors import ApiError
from gateway.responses.request import as_chat, check, upstream
from tests.gateway.responses.build import TOOL

MESSAGES = TypeAdapter(list[ChatCompletionMessageParam])
TOOLS = TypeAdapter(list[ChatCompletionToolUnionParam])
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "rain"}
SCHEMA = {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"], "additionalProperties": False}
SAID = {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "Oslo?"}]}


def asked(**request: Any) -> dict[str, Any]:
    chat = as_chat({"model": "m", "input": "Hi", **request}, [])
    MESSAGES.validate_python(chat["messages"])
    TOOLS.validate_python(chat.get("tools", []))
    return chat


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def test_instructions_are_the_first_message() -> None:
    assert asked(instructions="Be kind.") == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be kind."}, user("Hi")],
    }


def test_a_developer_is_a_system_since_other_servers_know_no_other_word() -> None:
    assert asked(input=[{"role": "developer", "content": "Be kind."}])["messages"][0]["role"] == "system"


def test_a_conversation_with_calls_is_one() -> None:
    chat = asked(input=[user("Rain?"), SAID, CALL, OUTPUT, user("And now?")], tools=[TOOL])
    assert [message["role"] for message in chat["messages"]] == ["user", "assistant", "tool", "user"]
    assert chat["messages"][1]["tool_calls"][0]["function"] == {"name": "weather", "arguments": "{}"}
    assert chat["tools"] == [{"type": "function", "function": {k: v for k, v in TOOL.items() if k != "type"}}]


def test_an_image_is_a_part() -> None:
    parts = [{"type": "input_text", "text": "?"}, {"type": "input_image", "image_url": "data:x", "detail": "low"}]
    assert asked(input=[user(parts)])["messages"][0]["content"] == [
        {"type": "text", "text": "?"},
        {"type": "image_url", "image_url": {"url": "data:x", "detail": "low"}},
    ]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"max_output_tokens": 9}, {"max_completion_tokens": 9}),
        ({"reasoning": {"effort": "low", "summary": "auto"}}, {"reasoning_effort": "low"}),
        ({"text": {"verbosity": "low"}}, {"verbosity": "low"}),
        ({"text": {"format": {"type": "json_object"}}}, {"response_format": {"type": "json_object"}}),
        (
            {"text": {"format": {"type": "json_schema", "name": "to", "strict": True, "schema": SCHEMA}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "to", "strict": True, "schema": SCHEMA},
                }
            },
        ),
        ({"tool_choice": "required"}, {"tool_choice": "required"}),
        (
            {"tool_choice": {"type": "function", "name": "weather"}},
            {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
        ),
        ({"top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}),
        ({"include": ["message.output_text.logprobs"]}, {"logprobs": True}),
        ({"include": ["reasoning.encrypted_content"], "max_tool_calls": 3, "truncation": "disabled"}, {}),
        ({"temperature": 0.5, "top_p": 0.9, "user": "u"}, {"temperature": 0.5, "top_p": 0.9, "user": "u"}),
        ({"service_tier": "flex", "prompt_cache_key": "k"}, {"service_tier": "flex", "prompt_cache_key": "k"}),
        (
            {"parallel_tool_calls": False, "safety_identifier": "s"},
            {"parallel_tool_calls": False, "safety_identifier": "s"},
        ),
        ({"top_k": 3, "seed": 7}, {"top_k": 3, "seed": 7}),
        ({"store": True, "metadata": {"a": "b"}, "stream": True, "stream_options": {}, "background": False}, {}),
    ],
)
def test_a_parameter_has_its_name_in_a_chat(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    chat = asked(**given)
    assert {name: value for name, value in chat.items() if name not in {"model", "messages"}} == wanted


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"truncation": "auto"}, "truncation"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"context_management": [{"type": "compaction"}]}, "context_management"),
        ({"reasoning": {"summary": "detailed"}}, "reasoning.summary"),
        ({"reasoning": {"mode": "pro"}}, "reasoning.mode"),
        ({"tools": [TOOL, {"type": "web_search"}]}, "tools[1]"),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, "tools[0]"),
        ({"tool_choice": {"type": "file_search"}}, "tool_choice"),
        ({"input": [user("a"), {"type": "web_search_call", "id": "ws"}]}, "input[1]"),
        ({"input": [user([{"type": "input_file", "file_url": "https://a.test/x.pdf"}])]}, "input[0]"),
        ({"input": [user("a"), {"type": "item_reference", "id": "msg_1"}]}, "input[1]"),
        ({"input": [user("a"), CALL]}, "input"),
        ({"input": [user("a"), OUTPUT]}, "input"),
        ({"input": []}, "input"),
        ({"input": [{"role": "wizard", "content": "a"}]}, "input[0].role"),
        ({"tools": "all"}, "tools"),
        ({"reasoning": "high"}, "reasoning"),
        ({"max_output_tokens": "9"}, "max_output_tokens"),
    ],
)
def test_what_a_chat_cannot_say_is_refused_by_its_field(given: dict[str, Any], field: str) -> None:
    with pytest.raises(ApiError) as refused:
        asked(**given)
    assert (refused.value.status, refused.value.param) == (400, field)
    assert f"'{field}'" in refused.value.message


def test_what_a_chat_cannot_say_of_the_responses_before_names_them() -> None:
    with pytest.raises(ApiError) as refused:
        as_chat({"model": "m", "input": "Hi"}, [{"type": "web_search_call", "id": "ws"}])
    assert refused.value.param == "previous_response_id"


def test_a_provider_with_the_responses_api_is_sent_everything_but_what_is_ours() -> None:
    request = {"model": "m", "input": "Hi", "tools": [{"type": "web_search"}], "truncation": "auto", "x_new": 1}
    ours = {"metadata": {"a": "b"}, "stream": True, "stream_options": {}, "store": True}
    assert upstream({**request, **ours}, []) == {**request, "store": False}


def test_the_items_before_are_sent_without_what_a_provider_that_stores_nothing_cannot_know() -> None:
    sealed = {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "x"}
    before = [user("a"), {"type": "reasoning", "id": "rs_1", "summary": []}, sealed, SAID]
    sent = upstream({"model": "m", "input": "Hi", "previous_response_id": "resp_1"}, before)
    assert "previous_response_id" not in sent
    bare = {name: value for name, value in SAID.items() if name != "id"}
    assert sent["input"][:3] == [user("a"), sealed, bare]
    assert len(sent["input"]) == 4


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "model"),
        ({"model": ""}, "model"),
        ({"model": 7}, "model"),
        ({"model": "ü" * 200}, "model"),
        ({"model": "m", "input": 7}, "input"),
        ({"model": "m", "input": ["a"]}, "input[0]"),
        ({"model": "m", "stream": "false"}, "stream"),
        ({"model": "m", "background": True}, "background"),
        ({"model": "m", "conversation": "conv_1"}, "conversation"),
        ({"model": "m", "prompt": {"id": "pmpt_1"}}, "prompt"),
    ],
)
def test_what_no_provider_is_asked_is_refused_by_its_field(request_: dict[str, Any], field: str) -> None:
    with pytest.raises(ApiError) as refused:
        check(request_, store=True)
    assert (refused.value.status, refused.value.param) == (400, field)


def test_what_cannot_be_captured_is_passed_on_where_it_need_not_be() -> None:
    check({"model": "m", "conversation": "conv_1", "prompt": {"id": "pmpt_1"}}, store=False)
