"""The chat completions of the corpus: each becomes a response of the SDK's own type that says the same."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import Response

from completions.responses import as_chat
from gateway.responses.answer import response_of
from gateway.responses.stream import events
from tests.gateway.responses.build import chat
from tests.shapes import cases

CHATS: dict[str, dict[str, Any]] = {
    **{name: case.expected for name, case in cases("answer").items()},
    **{name: chat(case.given) for name, case in cases("sample").items()},
}


@pytest.mark.parametrize("name", CHATS)
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


def test_there_are_many() -> None:
    assert len(CHATS) > 30
