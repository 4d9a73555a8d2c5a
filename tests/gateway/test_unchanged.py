"""What is sent goes upstream unchanged, and what is said comes back and is captured unchanged."""

from __future__ import annotations

from typing import Any

import pytest

from completions import index
from tests.flow.system import System
from tests.gateway.conftest import CHAT, listed
from tests.gateway.provider import COMPLETION, Scripted, answer

SCHEMA = {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"], "additionalProperties": False}
TOOL = {"type": "function", "function": {"name": "route", "strict": True, "parameters": SCHEMA}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "route", "arguments": '{"to": "bill\\u00e9"}'}}
ASKED = [{"role": "user", "content": "Where does it go?"}]
IMAGE = [
    {"type": "text", "text": "What is it?"},
    {"type": "image_url", "image_url": {"url": "https://example.com/a.png?x=1&y=%20", "detail": "low"}},
]


def choice(index: int = 0, finish_reason: str = "stop", **message: Any) -> dict[str, Any]:
    answer = {"role": "assistant", "content": None, "refusal": None, "annotations": [], **message}
    return {"index": index, "finish_reason": finish_reason, "logprobs": None, "message": answer}


CASES: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "several choices": ({"n": 3, "temperature": 0.7, "seed": 7}, [choice(n, content=f"no. {n}") for n in range(3)]),
    "tools": (
        {"tools": [TOOL], "tool_choice": "required", "parallel_tool_calls": True},
        [choice(finish_reason="tool_calls", tool_calls=[CALL, {**CALL, "id": "call_2"}])],
    ),
    "a tool's answer": (
        {"messages": [*ASKED, {"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "call_1"}]},
        [choice(content="billing")],
    ),
    "structured output": (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "to", "strict": True, "schema": SCHEMA}}},
        [choice(content='{"to": "billing"}')],
    ),
    "an image": ({"messages": [{"role": "user", "content": IMAGE}]}, [choice(content="a receipt")]),
    "log probabilities": (
        {"logprobs": True, "top_logprobs": 2},
        [{**choice(content="a"), "logprobs": {"content": [{"token": "a", "logprob": -0.25, "bytes": [97]}]}}],
    ),
    "what nobody knows yet": (
        {"x_new": {"deep": [1.5, None, True, "é\u2028\U0001f600"]}},
        [choice(content="é\n\t")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_lost_on_the_way(name: str, system: System, provider: Scripted) -> None:
    fields, choices = CASES[name]
    provider.answers = [answer(choices=choices, service_tier="default", x_new={"kept": 1.5})]
    sent = {"model": "lab-small", "messages": ASKED, **fields}
    status, shown = system.call("POST", CHAT, {**sent, "store": True, "metadata": {"case": name}})
    response = {**COMPLETION, "choices": choices, "service_tier": "default", "x_new": {"kept": 1.5}}
    assert provider.asked == [sent]
    assert (status, shown) == (200, {**response, "metadata": {"case": name}})
    (completion,) = listed(system)
    assert completion["choices"] == choices
    reference = index.find(completion["id"])
    assert reference is not None
    (stored,) = index.read([reference])
    assert stored.response == response
    assert {key: value for key, value in stored.request.items() if key not in {"store", "metadata"}} == sent
