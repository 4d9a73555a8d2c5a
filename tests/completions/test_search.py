"""Which texts of a completion a search finds."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from completions.completion import Completion
from completions.filters import Filter
from tests.examples import examples

CALL = {"id": "call_7", "type": "function", "function": {"name": "look_up", "arguments": '{"city": "Z\\u00fcrich"}'}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAAtest", "detail": "low"}}


def completion(*messages: dict[str, Any], **choice: Any) -> Completion:
    answer = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi."}, **choice}
    asked = {"model": "m", "messages": [{"role": "user", "content": "Who?"}, *messages]}
    return Completion.of({"request": asked, "response": {"id": "c", "choices": [answer]}}, at=1)


def found(text: str, completion: Completion) -> bool:
    wanted = Filter(text=text)
    matches = wanted.matches(completion)
    assert not matches or wanted.may_match(completion.line())
    return matches


RICH = completion(
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_7", "content": [{"type": "text", "text": "Rain \N{SNOWMAN}"}]},
    {"role": "user", "content": [IMAGE, {"type": "file", "file": {"file_id": "file-9", "filename": "bill.pdf"}}]},
    finish_reason="length",
    native_finish_reason="MAX",
    content_filter_results={"hate": {"severity": "safe"}},
    logprobs={"content": [{"token": "tok"}]},
    message={
        "role": "assistant",
        "content": '{"street": "Stra\\u00dfe", "said": "a \\"b\\" \\/ c"}',
        "reasoning_content": "First, the tone.",
        "refusal": None,
        "tool_calls": [CALL],
    },
)


WRITTEN = 'who|rain ☃|Zürich|zürich|z\\u00fcrich|look_up|the tone|bill.pdf|STRASSE|a "b" / c|{"city|city|street'
NOT_WRITTEN = (
    "assistant|user|tool_call|text|image_url|function|call_7|length|max|safe|low|tok|file-9|aaaatest|stop|basel"
)


@pytest.mark.parametrize("text", WRITTEN.split("|"))
def test_what_was_written_is_found(text: str) -> None:
    assert found(text, RICH)


@pytest.mark.parametrize("text", NOT_WRITTEN.split("|"))
def test_roles_types_ids_and_reasons_are_no_text(text: str) -> None:
    assert not found(text, RICH)


def test_a_failed_call_has_the_texts_of_its_messages() -> None:
    asked = {"model": "m", "messages": [{"role": "user", "content": "Who?"}]}
    failed = Completion.of({"request": asked, "response": {"id": "c", "error": {"message": "no"}}}, at=1)
    assert (found("who", failed), found("no", failed)) == (True, False)


def test_json_that_nobody_can_read_is_searched_as_it_is_written() -> None:
    assert found('{"cut', completion({"role": "user", "content": '{"cut": '}))


@settings(max_examples=examples(200))
@given(
    text=st.text(min_size=1, max_size=5),
    before=st.text(max_size=3),
    after=st.text(max_size=3),
    ascii_only=st.booleans(),
)
def test_no_line_with_the_text_is_passed_over(text: str, before: str, after: str, ascii_only: bool) -> None:
    arguments = json.dumps({"a": before + text + after}, ensure_ascii=ascii_only)
    called = {**CALL, "function": {"name": "f", "arguments": arguments}}
    assert found(text, completion({"role": "assistant", "content": None, "tool_calls": [called]}))
    assert found(text, completion({"role": "user", "content": orjson.dumps([[text]]).decode()}))
