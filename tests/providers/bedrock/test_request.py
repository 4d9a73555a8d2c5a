"""A chat completion as Converse takes it, line by line; what has no counterpart is named."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from local.fakes.walker import request_violations
from providers.bedrock.request import JSON_ONLY, converse_request
from providers.unsupported import Unsupported

MODEL = "amazon.nova-lite-v1:0"
USER = {"role": "user", "content": "ping"}
PNG = base64.b64encode(b"\x89PNG").decode()
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "description": "Tells it.", "parameters": {"type": "object"}, "strict": True},
}
SCHEMA = {"type": "object", "properties": {"warm": {"type": "boolean"}}}


def mapped(*messages: Any, **fields: Any) -> dict[str, Any]:
    """The parameters for these messages and fields, which AWS's own model allows."""
    made = converse_request({"model": MODEL, "messages": list(messages) or [USER], **fields})
    assert request_violations("bedrock-runtime", "Converse", made) == []
    return made


def refused(*messages: Any, **fields: Any) -> tuple[str, str, str]:
    """The param, the code and the message of the refusal."""
    with pytest.raises(Unsupported) as refusal:
        converse_request({"model": MODEL, "messages": list(messages) or [USER], **fields})
    assert refusal.value.status == 400
    error = json.loads(refusal.value.body)["error"]
    assert error["type"] == "invalid_request_error"
    return error["param"], error["code"], error["message"]


def call(name: str = "weather", arguments: str = '{"city":"Rome"}', call_id: str = "c1") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls: dict[str, Any], content: Any = None) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "tool_calls": list(calls)}


def result(call_id: str = "c1", content: Any = "31") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


# ------------------------------------------------------------------ messages


def test_a_plain_request_has_nothing_that_was_not_asked_for() -> None:
    assert mapped() == {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "ping"}]}]}


def test_instructions_stand_in_system_wherever_they_stood() -> None:
    parts = [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]
    late = {"role": "system", "content": "d"}
    made = mapped({"role": "system", "content": "a"}, {"role": "developer", "content": parts}, USER, late)
    assert made["system"] == [{"text": "a"}, {"text": "b"}, {"text": "c"}, {"text": "d"}]
    assert made["messages"] == [{"role": "user", "content": [{"text": "ping"}]}]


def test_neighbouring_turns_of_one_role_become_one() -> None:
    answered = {"role": "assistant", "content": "pong"}
    made = mapped(USER, {"role": "system", "content": "s"}, USER, answered, answered, USER)
    assert [(turn["role"], len(turn["content"])) for turn in made["messages"]] == [
        ("user", 2),
        ("assistant", 2),
        ("user", 1),
    ]


@pytest.mark.parametrize(
    ("kind", "there"),
    [("png", "png"), ("jpeg", "jpeg"), ("jpg", "jpeg"), ("gif", "gif"), ("webp", "webp"), ("PNG", "png")],
)
def test_an_image_s_bytes_go_with_the_turn(kind: str, there: str) -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{PNG}", "detail": "auto"}}
    made = mapped({"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]})
    assert made["messages"][0]["content"] == [
        {"text": "What is it?"},
        {"image": {"format": there, "source": {"bytes": b"\x89PNG"}}},
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/cat.png",
        f"data:image/svg+xml;base64,{PNG}",
        "data:image/png;base64,!!!",
        "data:image/png;base64,",
        f"data:image/png,{PNG}",
    ],
)
def test_another_image_is_refused(url: str) -> None:
    param, _, message = refused({"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]})
    assert param == "messages[0].content[0].image_url.url"
    assert url not in message


@pytest.mark.parametrize(
    ("message", "where"),
    [
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, "messages[0].content[0].type"),
        ({"role": "user", "content": [{"type": "file", "file": {}}]}, "messages[0].content[0].type"),
        ({"role": "user", "content": [3]}, "messages[0].content[0]"),
        ({"role": "user", "content": 3}, "messages[0].content"),
        ({"role": "user", "content": "x", "name": "Ann"}, "messages[0].name"),
        ({"role": "assistant", "content": "x", "audio": {"id": "a"}}, "messages[0].audio"),
        ({"role": "assistant", "function_call": {"name": "f"}}, "messages[0].function_call"),
        ({"role": "function", "name": "f", "content": "x"}, "messages[0].role"),
        ({"content": "x"}, "messages[0].role"),
        ("hello", "messages[0]"),
        ({"role": "system", "content": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]},
         "messages[0].content"),
        ({"role": "user", "content": [{"type": "image_url",
                                       "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}}]},
         "messages[0].content[0].image_url.detail"),
    ],
)  # fmt: skip
def test_what_a_message_has_beside_is_named(message: Any, where: str) -> None:
    assert refused(message)[0] == where


@pytest.mark.parametrize("messages", [None, [], "ping", {}])
def test_without_messages_it_is_refused(messages: Any) -> None:
    with pytest.raises(Unsupported) as refusal:
        converse_request({"model": MODEL, "messages": messages})
    assert refusal.value.param == "messages"


def test_a_refusal_and_signed_thoughts_of_an_earlier_turn_are_said_again() -> None:
    thought = {"type": "reasoning.text", "text": "hm", "signature": "s"}
    said = {
        "role": "assistant",
        "content": "",
        "refusal": "no",
        "reasoning_content": "hm",
        "reasoning_details": [thought],
    }
    assert mapped(USER, said, USER)["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
        {"text": "no"},
    ]
    unsigned = {**said, "reasoning_details": [{"text": "hm"}]}
    assert mapped(USER, unsigned, USER)["messages"][1]["content"] == [{"text": "no"}]


# ------------------------------------------------------------------ tools


def test_a_tool_its_strictness_and_one_without_parameters() -> None:
    bare = {"type": "function", "function": {"name": "now", "description": ""}}
    assert mapped(tools=[WEATHER, bare])["toolConfig"] == {
        "tools": [
            {
                "toolSpec": {
                    "name": "weather",
                    "description": "Tells it.",
                    "inputSchema": {"json": {"type": "object"}},
                    "strict": True,
                }
            },
            {"toolSpec": {"name": "now", "inputSchema": {"json": {"type": "object", "properties": {}}}}},
        ]
    }


@pytest.mark.parametrize(
    ("choice", "there"),
    [
        ("auto", {"auto": {}}),
        ("required", {"any": {}}),
        ({"type": "function", "function": {"name": "weather"}}, {"tool": {"name": "weather"}}),
    ],
)
def test_a_choice_of_tools(choice: Any, there: dict[str, Any]) -> None:
    assert mapped(tools=[WEATHER], tool_choice=choice)["toolConfig"]["toolChoice"] == there


def test_to_choose_none_is_to_have_none() -> None:
    assert "toolConfig" not in mapped(tools=[WEATHER], tool_choice="none")


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"tools": [WEATHER], "tool_choice": "any"}, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": {"type": "allowed_tools"}}, "tool_choice"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
        ({"tools": [{"type": "function", "function": {"name": "a.b"}}]}, "tools[0].function.name"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0]"),
        ({"tools": "weather"}, "tools"),
        ({"tools": [WEATHER], "parallel_tool_calls": False}, "parallel_tool_calls"),
    ],
)
def test_other_tools_are_refused(fields: dict[str, Any], where: str) -> None:
    assert refused(**fields)[0] == where


def test_calls_and_all_their_results_in_one_turn() -> None:
    made = mapped(
        USER, calling(call(), call(call_id="c2"), content="Let me see."), result(), result("c2"), USER, tools=[WEATHER]
    )
    use = {"name": "weather", "input": {"city": "Rome"}}
    assert made["messages"][1]["content"] == [
        {"text": "Let me see."},
        {"toolUse": {"toolUseId": "c1", **use}},
        {"toolUse": {"toolUseId": "c2", **use}},
    ]
    assert made["messages"][2] == {
        "role": "user",
        "content": [
            {"toolResult": {"toolUseId": "c1", "content": [{"text": "31"}], "status": "success"}},
            {"toolResult": {"toolUseId": "c2", "content": [{"text": "31"}], "status": "success"}},
            {"text": "ping"},
        ],
    }


def test_an_id_that_bedrock_does_not_take_is_another_one_for_call_and_result() -> None:
    odd = "call|" + "x" * 80
    turns = mapped(USER, calling(call(call_id=odd)), result(odd), tools=[WEATHER])["messages"]
    there = turns[1]["content"][0]["toolUse"]["toolUseId"]
    assert there == turns[2]["content"][0]["toolResult"]["toolUseId"] != odd


def test_arguments_that_are_empty_are_an_object() -> None:
    made = mapped(USER, calling(call(arguments="")), result(content=""), tools=[WEATHER])
    assert made["messages"][1]["content"][0]["toolUse"]["input"] == {}
    assert made["messages"][2]["content"][0]["toolResult"]["content"] == []


@pytest.mark.parametrize(
    ("called", "where"),
    [
        (call(arguments="{"), "messages[1].tool_calls[0].function.arguments"),
        (call(arguments="[1]"), "messages[1].tool_calls[0].function.arguments"),
        (call(name="a b"), "messages[1].tool_calls[0].function.name"),
        ({"id": "c1", "type": "custom", "custom": {"name": "x", "input": ""}}, "messages[1].tool_calls[0].type"),
        ({"type": "function", "function": {"name": "weather", "arguments": "{}"}}, "messages[1].tool_calls[0]"),
        ("weather", "messages[1].tool_calls[0]"),
    ],
)
def test_a_call_that_cannot_be_mapped_is_named(called: Any, where: str) -> None:
    assert refused(USER, calling(called), tools=[WEATHER])[0] == where


def test_a_result_of_no_call_is_named() -> None:
    assert refused(USER, {"role": "tool", "content": "31"})[0] == "messages[1].tool_call_id"


def test_calls_of_earlier_turns_want_their_tools() -> None:
    history = (USER, calling(call()), result())
    assert refused(*history)[0] == "tools"
    assert refused(*history, tools=[WEATHER], tool_choice="none")[0] == "tool_choice"


# ------------------------------------------------------------------ parameters


def test_sampling_parameters() -> None:
    assert mapped(max_tokens=5, temperature=1, top_p=0.5, stop="END")["inferenceConfig"] == {
        "maxTokens": 5,
        "temperature": 1,
        "topP": 0.5,
        "stopSequences": ["END"],
    }
    assert mapped(max_completion_tokens=6, max_tokens=5, stop=["a", "b"])["inferenceConfig"] == {
        "maxTokens": 6,
        "stopSequences": ["a", "b"],
    }


def test_a_temperature_above_1_is_an_unsupported_value() -> None:
    assert refused(temperature=1.2)[:2] == ("temperature", "unsupported_value")
    assert refused(top_p=-0.1)[:2] == ("top_p", "unsupported_value")


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"max_tokens": -1}, "max_completion_tokens"),
        ({"max_tokens": True}, "max_completion_tokens"),
        ({"stop": ["a", ""]}, "stop"),
        ({"stop": 3}, "stop"),
        ({"stop": ["x"] * 2501}, "stop"),
    ],
)
def test_odd_values_are_named(fields: dict[str, Any], where: str) -> None:
    assert refused(**fields)[0] == where


def test_a_schema_goes_as_text() -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "w", "description": "d", "schema": SCHEMA, "strict": True}}
    [(kind, there)] = mapped(response_format=wanted)["outputConfig"].items()
    assert (kind, there["type"]) == ("textFormat", "json_schema")
    schema = there["structure"]["jsonSchema"]
    assert (schema["name"], schema["description"], json.loads(schema["schema"])) == ("w", "d", SCHEMA)


def test_json_without_a_schema_is_asked_for_in_words() -> None:
    made = mapped({"role": "system", "content": "a"}, USER, response_format={"type": "json_object"})
    assert made["system"] == [{"text": "a"}, {"text": JSON_ONLY}]
    assert "outputConfig" not in made
    assert "outputConfig" not in mapped(response_format={"type": "text"})


def test_effort_tier_and_metadata() -> None:
    made = mapped(reasoning_effort="low", service_tier="flex", metadata={"team": "mail"})
    assert made["outputConfig"] == {"effort": "low"}
    assert made["serviceTier"] == {"type": "flex"}
    assert made["requestMetadata"] == {"team": "mail"}
    assert "serviceTier" not in mapped(service_tier="auto")


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"response_format": {"type": "grammar"}}, "response_format.type"),
        ({"response_format": "json"}, "response_format.type"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format.json_schema.schema"),
        ({"reasoning_effort": "x" * 17}, "reasoning_effort"),
        ({"service_tier": "scale"}, "service_tier"),
        ({"metadata": {"team": "mail|spam"}}, "metadata.team"),
        ({"metadata": {f"k{number}": "v" for number in range(17)}}, "metadata"),
    ],
)  # fmt: skip
def test_other_formats_and_tiers_are_named(fields: dict[str, Any], where: str) -> None:
    assert refused(**fields)[0] == where


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 0),
        ("n", 2),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("logit_bias", {"50256": -100}),
        ("frequency_penalty", 0.5),
        ("presence_penalty", -1),
        ("modalities", ["text", "audio"]),
        ("audio", {"voice": "alloy", "format": "wav"}),
        ("prediction", {"type": "content", "content": "x"}),
        ("web_search_options", {}),
        ("functions", [{"name": "f"}]),
        ("function_call", "auto"),
        ("verbosity", "low"),
        ("top_k", 5),
    ],
)
def test_what_converse_lacks_is_named_and_never_left_out(name: str, value: Any) -> None:
    param, code, message = refused(**{name: value})
    assert (param, code) == (name, "unsupported_parameter")
    assert "Converse" in message


def test_what_asks_for_nothing_is_left_out() -> None:
    """A stored request that is asked again has such values for what its caller never asked for."""
    neutral = {
        "n": 1,
        "logprobs": False,
        "logit_bias": {},
        "frequency_penalty": 0.0,
        "presence_penalty": 0,
        "seed": None,
    }
    travelling = {"user": "u", "store": True, "stream": True, "stream_options": {}, "prompt_cache_key": "k"}
    assert mapped(**neutral, **travelling, parallel_tool_calls=True, modalities=["text"]) == mapped()


def test_bedrock_s_own_fields_go_as_they_are() -> None:
    own = {
        "additionalModelRequestFields": {"top_k": 5},
        "guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "1"},
    }
    made = mapped(**own)
    assert {name: made[name] for name in own} == own
