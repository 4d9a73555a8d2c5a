"""What the gateway puts together of a stream is what the wrapper makes of the same bytes."""

from __future__ import annotations

import json
from itertools import batched
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import assembled
from gateway.assembled import Assembled
from gateway.live import DONE
from providers import Event
from providers.server_sent import Events
from tests.client.doubles import events
from tests.client.shapes import calls
from tests.examples import examples
from tests.streams import by_the_wrapper, streams

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


def put_together(body: bytes, *, cut_every: int | None = None) -> dict[str, Any] | None:
    """What the gateway makes of a stream that comes in pieces of so many bytes."""
    reader, whole = Events(), Assembled()
    pieces = [bytes(piece) for piece in batched(body, cut_every or len(body), strict=False)]
    found = [data for piece in pieces for data in reader.feed(piece)]
    for data in [*found, *reader.rest()]:
        if data.startswith(DONE):
            break
        whole.add(Event.of(data))
    return whole.completion()


@settings(max_examples=examples(600))
@given(body=streams(), cut_every=st.integers(1, 200))
def test_any_stream_is_put_together_alike_wherever_it_is_cut(body: bytes, cut_every: int) -> None:
    assert json.dumps(put_together(body, cut_every=cut_every)) == json.dumps(by_the_wrapper(body))


def test_every_stream_of_the_corpus_is_put_together_alike() -> None:
    called = [call for call in calls() if call.path.endswith("/completions") and call.kind == "text/event-stream"]
    assert len(called) > 10
    for call in called:
        wanted = by_the_wrapper(call.body)
        # JSON that no reader but Python's takes is mended here, as in every answer of a provider.
        assert json.dumps(put_together(call.body)) == json.dumps(wanted) or "Infinity" in json.dumps(wanted), call.name


@pytest.mark.parametrize("left_out", [None, *range(len(CHUNKS))])
def test_chunks_with_any_of_them_missing_are_put_together_alike(left_out: int | None) -> None:
    body = b"".join(events(*(chunk for place, chunk in enumerate(CHUNKS) if place != left_out)))
    assert put_together(body) == by_the_wrapper(body)


@pytest.mark.parametrize(
    "odd",
    [
        b'data: {"choices": [{"delta": {"content": [], "refusal": "no"}}, {"delta": {"content": "a", "refusal": []}}]}',
        b'data: {"choices": [{"delta": {"content": [{"type": "text"}]}}, {"delta": {"content": {"b": 1}}}]}',
        b"data:",
        b"data: no JSON",
        b"data: 7",
    ],
)
def test_an_odd_event_makes_the_same_difference_to_both(odd: bytes) -> None:
    body = odd + b"\n\n" + b"".join(events(*CHUNKS))
    assert put_together(body) == by_the_wrapper(body)
    assert (put_together(body) is None) is (odd.endswith((b"JSON", b"7")))


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
    body = b"".join(events(chunk, *CHUNKS))
    assert (put_together(body), by_the_wrapper(body)) == (None, None)


def test_what_is_too_large_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"".join(events(*CHUNKS))
    assert put_together(body)
    monkeypatch.setattr(assembled, "MOST_BYTES", 100)
    assert put_together(body) is None
