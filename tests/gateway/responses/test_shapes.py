"""The cases of `tests/data/shapes/` that a chat completion may bring: each becomes a response of the SDK's own type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openai.types.responses import Response

from completions.responses import as_chat
from gateway.responses.answer import response_of
from gateway.responses.stream import events
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


def test_there_are_cases() -> None:
    assert len(CHATS) > 15
