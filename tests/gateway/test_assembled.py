"""What the gateway puts together of a stream is what the wrapper makes of the same bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway import assembled
from gateway.assembled import Assembled
from providers import Event
from providers.server_sent import Events
from stillhouse.capturing.assemble import completion_in
from tests.client.doubles import events
from tests.client.shapes import calls

CHUNKS: list[dict[str, Any]] = [
    {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
    {
        "id": "d",
        "choices": [{"index": 0, "delta": {"content": "bill"}}, {"index": 1, "delta": {"content": [{"a": 1}]}}],
    },
    {"choices": [{"index": 0, "delta": {"content": "ing", "thoughts": ["a", "b"], "deep": {"x": "y"}}}]},
    {"choices": [{"index": 0, "delta": {"deep": {"x": "z"}, "thoughts": ["c"]}, "finish_reason": ""}]},
    {"choices": [{"index": 1, "delta": {"content": "te"}}]},
    {"choices": [{"index": 1, "delta": {"content": "x"}}]},
    {"choices": [{"index": 1, "delta": {"content": "t"}, "finish_reason": "stop", "seen": [1]}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "logprobs": {"content": []}}], "usage": None},
    {"choices": [], "usage": {"total_tokens": 7}},
]


def put_together(body: bytes) -> dict[str, Any] | None:
    reader, whole = Events(), Assembled()
    for data in [*reader.feed(body), *reader.rest()]:
        event = Event.of(data)
        if event.document is not None:
            whole.add(event.document, len(data))
    return whole.completion()


def by_the_wrapper(body: bytes) -> dict[str, Any] | None:
    try:
        return completion_in(body)
    except (ValueError, TypeError, AttributeError):
        return None


def test_every_stream_of_the_corpus_is_put_together_alike() -> None:
    streams = [call for call in calls() if call.path.endswith("/completions") and call.kind == "text/event-stream"]
    assert len(streams) > 10
    for call in streams:
        wanted = by_the_wrapper(call.body)
        # JSON that no reader but Python's takes is mended here, as in every answer of a provider.
        assert json.dumps(put_together(call.body)) == json.dumps(wanted) or "Infinity" in json.dumps(wanted), call.name


@pytest.mark.parametrize("left_out", [None, *range(len(CHUNKS))])
def test_chunks_with_any_of_them_missing_are_put_together_alike(left_out: int | None) -> None:
    body = b"".join(events(*(chunk for place, chunk in enumerate(CHUNKS) if place != left_out)))
    assert put_together(body) == by_the_wrapper(body)


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": 7},
        {"choices": ["odd"]},
        {"choices": [{"delta": "odd"}]},
        {"choices": [{"index": [0], "delta": {}}]},
        {"choices": [{"index": "0", "delta": {}, "finish_reason": "stop"}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": ["odd"]}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": "0"}, {"id": "c"}]}}]},
        {"choices": [{"delta": {"refusal": "a text"}}, {"delta": {"refusal": ["a list"]}}]},
        {
            "choices": [
                {"delta": {"tool_calls": [{"index": 0, "function": "odd"}, {"index": 0, "function": {"name": "f"}}]}}
            ]
        },
    ],
)
def test_a_chunk_of_no_known_shape_leaves_nothing_to_capture_and_breaks_nothing(chunk: dict[str, Any]) -> None:
    whole = Assembled()
    for one in (chunk, *CHUNKS):
        whole.add(one, 1)
    assert whole.completion() is None


def test_what_is_too_large_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembled, "MOST_BYTES", 3)
    whole = Assembled()
    for chunk in CHUNKS:
        whole.add(chunk, 1)
    assert whole.completion() is None
