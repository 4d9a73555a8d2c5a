"""Training lines for Nova: what has a counterpart, what has none and why, and the line itself."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from distillations.formats.bedrock_conversation import FORMAT
from local.fakes.rows import converse_rows
from providers.bedrock.request import converse_request

USER = {"role": "user", "content": "Where is my parcel?"}
ANSWER = {"role": "assistant", "content": "delivery"}
SYSTEM = {"role": "system", "content": "Sort this mail."}
CALL = {"id": "call_1", "type": "function", "function": {"name": "sort", "arguments": "{}"}}
TOOLS = [{"type": "function", "function": {"name": "sort"}}]
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def line(*messages: dict[str, Any], **extra: Any) -> dict[str, Any]:
    return {"messages": list(messages), **extra}


def test_a_line_has_the_system_s_texts_and_turns_of_blocks() -> None:
    assert orjson.loads(FORMAT.line(line(SYSTEM, USER, ANSWER))) == {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [{"text": "Sort this mail."}],
        "messages": [
            {"role": "user", "content": [{"text": "Where is my parcel?"}]},
            {"role": "assistant", "content": [{"text": "delivery"}]},
        ],
    }


@pytest.mark.parametrize(
    "taken",
    [
        line(USER, ANSWER),
        line(SYSTEM, USER, ANSWER),
        line({"role": "developer", "content": [{"type": "text", "text": "Sort."}]}, USER, USER, ANSWER),
        line(USER, ANSWER, {"role": "user", "content": [{"type": "text", "text": "And now?"}]}, ANSWER),
        line(USER, {**ANSWER, "weight": 1}),
        line(USER, {**ANSWER, "content": "System: all is well"}),
        line(USER, ANSWER, {"role": "system", "content": "Be brief."}, USER, ANSWER),
    ],
)
def test_what_is_taken_becomes_a_line_that_bedrock_takes_and_converse_would_get(taken: dict[str, Any]) -> None:
    assert FORMAT.fault(taken) is None
    assert len(converse_rows(FORMAT.line(taken))) == 1
    *asked, _ = taken["messages"]
    asked = [{name: value for name, value in message.items() if name != "weight"} for message in asked]
    request = converse_request({"model": "amazon.nova-micro-v1:0", "messages": asked})
    document = orjson.loads(FORMAT.line(taken))
    assert document["messages"][:-1] == request["messages"]
    assert document.get("system", []) == request.get("system", [])


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (line(USER, ANSWER, tools=TOOLS), "takes no tools"),
        (line(USER, {"role": "assistant", "tool_calls": [CALL]}), "takes no tools"),
        (
            line(
                USER,
                {"role": "assistant", "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "call_1", "content": "done"},
                ANSWER,
            ),
            "takes no tools",
        ),
        (line(USER, {**ANSWER, "weight": 0}, USER, ANSWER), "weight 0 has no counterpart"),
        (line(SYSTEM, ANSWER, USER, ANSWER), "the first turn must be the user's"),
        (line({"role": "user", "content": [IMAGE]}, ANSWER), "leave rows with images out"),
        (line({"role": "user", "content": ""}, ANSWER), "a turn has no text"),
        (line({**USER, "name": "Ann"}, ANSWER), "name"),
        (line({"role": "user", "content": "User: hello"}, ANSWER), "Nova keeps 'User:' for itself"),
        (line({"role": "system", "content": "Say <image>"}, USER, ANSWER), "Nova keeps '<image>' for itself"),
        (line(SYSTEM, USER), "no message is the assistant's"),
    ],
)
def test_what_has_no_counterpart_is_refused_with_its_reason(refused: dict[str, Any], why: str) -> None:
    assert why in str(FORMAT.fault(refused))
