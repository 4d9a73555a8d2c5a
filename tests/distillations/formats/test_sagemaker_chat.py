"""Training lines for SageMaker's open models: what has a counterpart, what has none and why, and the line itself."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from distillations.formats.sagemaker_chat import FORMAT
from local.fakes.rows import text_rows

USER = {"role": "user", "content": "Where is my parcel?"}
ANSWER = {"role": "assistant", "content": "delivery"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "sort", "arguments": "{}"}}
TOOLS = [{"type": "function", "function": {"name": "sort"}}]
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def line(*messages: dict[str, Any], **extra: Any) -> dict[str, Any]:
    return {"messages": list(messages), **extra}


@pytest.mark.parametrize(
    "taken",
    [
        line(USER, ANSWER),
        line({"role": "developer", "content": [{"type": "text", "text": "Sort."}]}, USER, ANSWER),
        line(USER, ANSWER, {"role": "user", "content": [{"type": "text", "text": "And now?"}]}, ANSWER),
        line(USER, {**ANSWER, "weight": 1}),
        line(ANSWER, USER, ANSWER),
    ],
)
def test_what_is_taken_becomes_a_line_that_sagemaker_takes(taken: dict[str, Any]) -> None:
    assert FORMAT.fault(taken) is None
    [row] = text_rows(FORMAT.line(taken))
    assert [message["role"] for message in row["messages"]] == [
        "system" if message["role"] == "developer" else message["role"] for message in taken["messages"]
    ]
    assert all(isinstance(message["content"], str) for message in row["messages"])


def test_parts_are_joined_and_nothing_else_is_written() -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    written = orjson.loads(FORMAT.line(line({"role": "user", "content": parts}, {**ANSWER, "weight": 1})))
    assert written == {"messages": [{"role": "user", "content": "one\ntwo"}, ANSWER]}


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (line(USER, ANSWER, tools=TOOLS), "has no tools"),
        (line(USER, {"role": "assistant", "tool_calls": [CALL]}), "has no tools"),
        (line(USER, {**ANSWER, "weight": 0}, USER, ANSWER), "weight 0 has no counterpart"),
        (line({"role": "user", "content": [IMAGE]}, ANSWER), "leave rows with images out"),
        (line({**USER, "name": "Ann"}, ANSWER), "has no names of speakers"),
        (line(ANSWER, USER), "no answer to learn"),
    ],
)
def test_what_has_no_counterpart_is_refused_with_its_reason(refused: dict[str, Any], why: str) -> None:
    assert why in str(FORMAT.fault(refused))
