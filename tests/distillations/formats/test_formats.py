"""All formats alike: an example is written, its row is one of the format, and what has no counterpart says why."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillations.formats import FORMATS, format_named
from tests.distillations.formats.rows import (
    ANSWER,
    CALL,
    CALLS,
    IMAGE,
    RESULT,
    SYSTEM,
    TOOLS,
    USER,
    WORSE,
    example,
    pair,
)
from tests.examples import examples

PLAIN = {"supervised": example(), "dpo": pair()}
EXPECTED: dict[str, dict[str, Any]] = {
    "openai-chat": example(),
    "together-chat": example(),
    "fireworks-chat": example(),
    "nebius-chat": example(),
    "sagemaker-chat": example(),
    "trl-messages": example(),
    "bedrock-conversation-2024": {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [{"text": "Sort this mail."}],
        "messages": [
            {"role": "user", "content": [{"text": "Where is my parcel?"}]},
            {"role": "assistant", "content": [{"text": "delivery"}]},
        ],
    },
    "openai-dpo": pair(),
    "together-preference": pair(),
    "fireworks-dpo": pair(),
    "sagemaker-preference": {"prompt": [SYSTEM, USER], "chosen": [ANSWER], "rejected": [WORSE]},
    "trl-preference": {"prompt": [SYSTEM, USER], "chosen": [ANSWER], "rejected": [WORSE]},
    "sagemaker-dpo": {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [{"text": "Sort this mail."}],
        "messages": [
            {"role": "user", "content": [{"text": "Where is my parcel?"}]},
            {
                "role": "assistant",
                "candidates": [
                    {"content": [{"text": "delivery"}], "preferenceLabel": "preferred"},
                    {"content": [{"text": "billing"}], "preferenceLabel": "non-preferred"},
                ],
            },
        ],
    },
}


@pytest.mark.parametrize("name", FORMATS)
def test_an_example_is_written_as_the_format_has_it(name: str) -> None:
    format_, plain = format_named(name), PLAIN[FORMATS[name].method]
    assert format_.fault(plain) is None
    assert orjson.loads(format_.line(plain)) == EXPECTED[name]
    assert format_.row_fault(EXPECTED[name]) is None


@pytest.mark.parametrize("name", FORMATS)
def test_a_row_of_another_kind_is_none_of_the_format(name: str) -> None:
    for row in ({}, {"messages": []}, {"prompt": "p", "completion": "c"}, {"messages": "text"}, {"messages": [5]}):
        assert format_named(name).row_fault(row)
        assert format_named(name).fault(row)


@pytest.mark.parametrize(
    ("name", "row", "code"),
    [
        ("openai-dpo", pair(better=WORSE), "no_difference"),
        ("openai-dpo", pair(worse={"role": "assistant", "content": " "}), "empty_answer"),
        ("openai-dpo", pair(USER, ANSWER), "invalid_value"),
        ("openai-dpo", pair(USER, CALLS), "invalid_value"),
        ("openai-dpo", pair(USER, RESULT), "tool_result_without_call"),
        ("openai-dpo", pair(worse=USER), "invalid_value"),
        ("openai-dpo", {**pair(), "preferred_output": []}, "invalid_value"),
        ("openai-dpo", {**pair(), "preferred_output": [ANSWER, ANSWER]}, "invalid_value"),
        ("openai-dpo", {**pair(), "note": "x"}, "unrecognized_key"),
        ("together-preference", pair(ANSWER, USER), "invalid_value"),
        ("fireworks-dpo", pair({"role": "user", "content": [IMAGE]}), "invalid_value"),
        ("sagemaker-preference", pair(tools=TOOLS), "no_counterpart"),
        ("sagemaker-preference", pair(worse=CALLS), "no_counterpart"),
        ("sagemaker-preference", pair({"role": "user", "content": [IMAGE]}), "no_counterpart"),
        ("sagemaker-dpo", pair(tools=TOOLS), "no_counterpart"),
        ("sagemaker-dpo", pair({"role": "user", "content": "User: hello"}), "invalid_value"),
        ("trl-messages", example(USER, {**ANSWER, "weight": 0}, USER, ANSWER), "no_counterpart"),
        ("trl-messages", example({"role": "user", "content": [IMAGE]}, ANSWER), "no_counterpart"),
        ("trl-preference", pair({"role": "user", "content": [IMAGE]}), "no_counterpart"),
    ],
)
def test_what_has_no_row_says_why_without_its_text(name: str, row: dict[str, Any], code: str) -> None:
    fault = format_named(name).fault(row)
    assert fault
    assert fault.code == code
    assert "parcel" not in fault.why


def test_tools_are_objects_to_trl_and_stay_texts_elsewhere() -> None:
    asked = example(USER, CALLS, RESULT, ANSWER, tools=TOOLS)
    assert format_named("openai-chat").written(asked) == asked
    row = format_named("trl-messages").written(asked)
    assert format_named("trl-messages").row_fault(row) is None
    assert row["tools"] == TOOLS
    assert row["messages"][1]["tool_calls"] == [{**CALL, "function": {"name": "sort", "arguments": {"by": "date"}}}]
    assert row["messages"][2]["tool_call_id"] == "call_1"
    called = format_named("trl-preference").written(pair(USER, better=CALLS, tools=TOOLS))
    assert called["chosen"][0]["tool_calls"][0]["function"]["arguments"] == {"by": "date"}


WORD = st.text(max_size=12)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "assistant"]), "content": WORD}
)


@settings(max_examples=examples(25))
@given(messages=st.lists(MESSAGE, max_size=5), answer=WORD, other=WORD)
def test_what_has_no_fault_is_written_as_a_row_of_the_format(
    messages: list[dict[str, Any]], answer: str, other: str
) -> None:
    said = [{"role": "assistant", "content": text} for text in (answer, other)]
    given_rows = {"supervised": example(*messages, said[0]), "dpo": pair(*messages, better=said[0], worse=said[1])}
    for name, entry in FORMATS.items():
        format_, row = format_named(name), given_rows[entry.method]
        if format_.fault(row) is None:
            assert format_.row_fault(orjson.loads(format_.line(row))) is None, name
