"""The cases of `tests/data/shapes/` that are responses, or become one.

Each chat completion becomes a response of the SDK's own type. Each response is stored by the gateway and by a push as
the same completion, or the push names the field; the wrappers are held to it in `tests/client/test_wrapped_shapes.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openai.types.responses import Response

from completions import index
from completions.responses import as_chat
from gateway.responses.answer import response_of
from gateway.responses.stream import events
from tests.flow.system import System
from tests.gateway.provider import Said, Scripted
from tests.gateway.responses.build import chat

SHAPES = Path("tests/data/shapes")


def chats() -> dict[str, dict[str, Any]]:
    """Chat completions by the name of their case: whole ones, and single messages in one."""
    cases = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in SHAPES.glob("*.json")}
    whole = {name: case["expected"] for name, case in cases.items() if case["door"] == "answer"}
    return whole | {name: chat(case["given"]) for name, case in cases.items() if case["door"] == "sample"}


CHATS = chats()


@pytest.mark.parametrize("name", sorted(CHATS))
def test_it_becomes_a_response_that_says_the_same(name: str) -> None:
    response = response_of(CHATS[name], {"model": "big"})
    Response.model_validate(response, strict=True)
    assert events(response).count(b'"type":"response.output_item.done"') == len(response["output"])
    read, _ = as_chat.chat_response(as_chat.Response.model_validate(response))
    given, became = CHATS[name]["choices"][0]["message"], read["choices"][0]["message"]
    text = given.get("content") or ""
    if isinstance(text, str):
        assert (became["content"] or "") == text
    assert len(became.get("tool_calls", ())) == len(given.get("tool_calls") or ()) + bool(given.get("function_call"))


RESPONSES = {path.stem: json.loads(path.read_text()) for path in sorted(SHAPES.glob("response-*.json"))}
ASKED = {"model": "big", "input": "hi", "store": True}


def of(name: str, door: str) -> tuple[bytes, dict[str, Any]]:
    """What is said by a case, and what becomes of it, under an id of this door's own."""
    case = json.loads(json.dumps(RESPONSES[name]).replace("resp_-@", f"resp_{door}-{name}"))
    return case["given"]["$json"].encode(), case["expected"]


def stored(system: System, expected: dict[str, Any]) -> dict[str, Any]:
    system.settle()
    reference = index.find(expected["response"]["id"])
    assert reference is not None
    (completion,) = index.read([reference])
    return {"response": completion.response, "untrainable": completion.untrainable}


def test_the_gateway_stores_a_response(system: System, provider: Scripted, subtests: pytest.Subtests) -> None:
    for name in RESPONSES:
        with subtests.test(name):
            given, expected = of(name, "gateway")
            provider.responses = [Said(200, given, {})]
            assert system.call("POST", "/v1/responses", ASKED)[0] == 200
            assert stored(system, expected) == expected
    assert len(provider.asked) == len(RESPONSES)


def test_a_push_stores_a_response_or_names_the_field(system: System, subtests: pytest.Subtests) -> None:
    for name, case in RESPONSES.items():
        with subtests.test(name):
            given, expected = of(name, "push")
            pushed = b'{"request":%b,"response":%b}' % (json.dumps(ASKED).encode(), given)
            status, answer = system.call("POST", "/v1/captures", pushed)
            if "push_refuses" in case:
                assert (status, answer["error"]["param"]) == (400, case["push_refuses"])
            else:
                assert (status, stored(system, expected)) == (202, expected)


def test_there_are_cases() -> None:
    assert len(CHATS) > 15
    assert len(RESPONSES) > 10
