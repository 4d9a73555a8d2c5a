"""Which lines open models' trainers take: each reason for a refusal, and what is no reason."""

from __future__ import annotations

from typing import Any

import pytest

from distillations.formats import format_named

SYSTEM = {"role": "system", "content": "s"}
USER = {"role": "user", "content": "u"}
ANSWER = {"role": "assistant", "content": "a"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLS = {"role": "assistant", "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "r"}


def problem(*messages: dict[str, Any], name: str = "together-chat") -> str:
    return str(format_named(name).fault({"messages": list(messages)}) or "")


@pytest.mark.parametrize(
    "messages",
    [
        [USER, ANSWER],
        [SYSTEM, USER, ANSWER],
        [USER, {**ANSWER, "weight": 0}, USER, {**ANSWER, "weight": 1}],
        [USER, CALLS, RESULT, ANSWER],
        [USER, CALLS],
    ],
)
def test_what_is_taken(messages: list[dict[str, Any]]) -> None:
    assert problem(*messages) == ""


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([{"role": "developer", "content": "d"}, USER, ANSWER], "'developer'"),
        ([USER, SYSTEM, ANSWER], "at the beginning only"),
        ([SYSTEM, SYSTEM, USER, ANSWER], "only one"),
        ([{"role": "user", "content": [{"type": "text", "text": "u"}]}, ANSWER], "must be a string"),
        ([USER, {"role": "assistant", "content": [{"type": "text", "text": "a"}]}], "must be a string"),
    ],
)
def test_what_no_chat_template_takes(messages: list[dict[str, Any]], why: str) -> None:
    assert why in problem(*messages, name="fireworks-chat")


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([ANSWER, USER, ANSWER], "first turn must be the user's"),
        ([SYSTEM, ANSWER], "first turn must be the user's"),
        ([USER, USER, ANSWER], "'user' follows 'user'"),
        ([USER, ANSWER, ANSWER], "'assistant' follows 'assistant'"),
        ([USER, CALLS, RESULT, USER, ANSWER], "'user' follows 'tool'"),
    ],
)
def test_turns_that_do_not_alternate(messages: list[dict[str, Any]], why: str) -> None:
    assert why in problem(*messages)
    assert problem(*messages, name="fireworks-chat") == ""
