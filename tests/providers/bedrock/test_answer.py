"""What Converse answers, in OpenAI's shape, line by line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.fakes.walker import response_violations
from providers.bedrock.answer import completion_of
from providers.usage import ModelUsage


def answered(*blocks: dict[str, Any], stop: str = "end_turn", usage: Any = None, **more: Any) -> dict[str, Any]:
    answer = {
        "output": {"message": {"role": "assistant", "content": list(blocks)}},
        "stopReason": stop,
        "usage": usage or {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 3},
        **more,
    }
    assert response_violations("bedrock-runtime", "Converse", answer) == []
    return {**answer, "ResponseMetadata": {"RequestId": "r-1"}}


def choice(*blocks: dict[str, Any], **how: Any) -> dict[str, Any]:
    [made] = completion_of(answered(*blocks, **how), "m")["choices"]
    assert isinstance(made, dict)
    return made


def test_texts_stand_together() -> None:
    made = completion_of(answered({"text": "po"}, {"text": "ng"}), "amazon.nova-lite-v1:0")
    assert (made["id"], made["object"], made["model"]) == ("chatcmpl-r-1", "chat.completion", "amazon.nova-lite-v1:0")
    assert made["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "pong", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]


def test_calls_have_their_arguments_as_text() -> None:
    uses = [
        {"toolUse": {"toolUseId": f"t{number}", "name": "f", "input": {"x": 1 << 70, "ö": [1.5]}}} for number in (1, 2)
    ]
    made = choice(*uses, stop="tool_use")
    assert made["finish_reason"] == "tool_calls"
    assert made["message"]["content"] is None
    assert [call["id"] for call in made["message"]["tool_calls"]] == ["t1", "t2"]
    function = made["message"]["tool_calls"][0]["function"]
    assert (function["name"], json.loads(function["arguments"])) == ("f", {"x": 1 << 70, "ö": [1.5]})
    assert choice({"text": "See:"}, *uses, stop="tool_use")["message"]["content"] == "See:"


def test_nothing_at_all_is_an_empty_text() -> None:
    assert choice()["message"]["content"] == ""
    assert completion_of({}, "m")["choices"][0]["message"]["content"] == ""


def test_thoughts_come_beside_the_text_with_their_signatures() -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}
    hidden = {"reasoningContent": {"redactedContent": b"x"}}
    message = choice(thought, hidden, {"text": "pong"})["message"]
    assert (message["content"], message["reasoning_content"]) == ("pong", "hm")
    assert message["reasoning_details"] == [{"type": "reasoning.text", "text": "hm", "signature": "s"}]


def test_what_is_cited_is_part_of_the_text() -> None:
    cited = {"citationsContent": {"content": [{"text": "ng"}], "citations": []}}
    assert choice({"text": "po"}, cited)["message"]["content"] == "pong"


@pytest.mark.parametrize(
    ("stop", "reason", "malformed"),
    [
        ("end_turn", "stop", None),
        ("stop_sequence", "stop", None),
        ("tool_use", "tool_calls", None),
        ("max_tokens", "length", None),
        ("model_context_window_exceeded", "length", None),
        ("guardrail_intervened", "content_filter", None),
        ("content_filtered", "content_filter", None),
        ("malformed_model_output", "stop", "malformed_model_output"),
        ("malformed_tool_use", "stop", "malformed_tool_use"),
    ],
)
def test_why_it_ended(stop: str, reason: str, malformed: str | None) -> None:
    made = choice({"text": "x"}, stop=stop)
    assert (made["finish_reason"], made.get("malformed")) == (reason, malformed)


def test_every_stop_reason_of_bedrock_has_its_line() -> None:
    from local.fakes.walker import operation_model
    from providers.bedrock.answer import _FINISHED

    assert set(operation_model("bedrock-runtime", "Converse").output_shape.members["stopReason"].enum) == set(_FINISHED)


def test_usage_counts_what_the_cache_held_as_part_of_the_prompt() -> None:
    usage = {
        "inputTokens": 10,
        "outputTokens": 4,
        "totalTokens": 14,
        "cacheReadInputTokens": 100,
        "cacheWriteInputTokens": 20,
    }
    made = completion_of(answered({"text": "x"}, usage=usage), "m")["usage"]
    assert made == {
        "prompt_tokens": 130,
        "completion_tokens": 4,
        "total_tokens": 134,
        "prompt_tokens_details": {"cached_tokens": 100},
    }
    booked = ModelUsage(model_name="m")
    booked.add(made)
    assert (booked.prompt_tokens, booked.cached_tokens, booked.total_tokens) == (130, 100, 134)


def test_the_tier_that_served_it_is_named() -> None:
    assert completion_of(answered(serviceTier={"type": "flex"}), "m")["service_tier"] == "flex"


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ('```json\n{"a": 1}\n```', '{"a": 1}'),
        ('```\n{"a": 1}\n```\n', '{"a": 1}'),
        ('{"a": 1}', '{"a": 1}'),
        ("```json\nno\n```", "```json\nno\n```"),
        ("```json\n[1]\n```", "```json\n[1]\n```"),
        ('Here:\n```json\n{"a": 1}\n```', 'Here:\n```json\n{"a": 1}\n```'),
    ],
)
def test_json_without_a_schema_is_taken_out_of_its_fence_and_nothing_else(text: str, content: str) -> None:
    made = completion_of(answered({"text": text}), "m", unfenced=True)
    assert made["choices"][0]["message"]["content"] == content
    assert completion_of(answered({"text": text}), "m")["choices"][0]["message"]["content"] == text
