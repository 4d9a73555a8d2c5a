"""Whatever a provider streams, it goes through to the caller, and is captured where the wrapper would capture it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.live import DONE, LiveChat
from gateway.responses.live import LiveResponse
from gateway.responses.spoken import SpokenResponse
from providers import Event
from providers.server_sent import Events
from tests.examples import examples
from tests.streams import by_the_wrapper, events, streams

ASKED = {"model": "m", "input": "hi"}


class Given:
    """An EventStream of these bytes."""

    first_ms = 0

    def __init__(self, body: bytes) -> None:
        reader = Events()
        self.events = deque(Event.of(data) for data in [*reader.feed(body), *reader.rest()])

    async def next(self) -> Event | None:
        return self.events.popleft() if self.events else None

    def took_ms(self) -> int:
        return 7

    async def end(self) -> None:
        self.events.clear()

    def close(self) -> None:
        self.events.clear()


class Caller:
    """Reads what is given on, and notes what is captured, and before which piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.captured: list[Any] = []
        self.before: list[int] = []

    def capture(self, whole: dict[str, Any], *_: Any) -> None:
        self.captured.append(whole)
        self.before.append(len(self.pieces))

    def reads(self, pieces: Iterator[bytes]) -> list[bytes]:
        """The data of all events. What is captured is so before the last of them."""
        for piece in pieces:
            self.pieces.append(piece)
        assert self.before in ([], [len(self.pieces) - 1])
        reader = Events()
        return [*reader.feed(b"".join(self.pieces)), *reader.rest()]


@settings(max_examples=examples(300))
@given(body=streams(), counted=st.booleans())
def test_a_chat_goes_through_as_it_came_but_for_usage_that_nobody_asked_for(body: bytes, counted: bool) -> None:
    caller, lost = Caller(), []
    chat = LiveChat(
        Given(body), counted=counted, once={}, capture=caller.capture, lost=lambda: lost.append(None), ends=inf
    )
    *shown, last = caller.reads(chat.pieces())
    said = [event.data for event in Given(body).events]
    until = next((number for number, data in enumerate(said) if data.startswith(DONE)), len(said))
    wanted = said[:until] if counted else [data for data in map(without_usage, said[:until]) if data is not None]
    assert [as_json(data) for data in shown] == [as_json(data) for data in wanted]
    whole = by_the_wrapper(body)
    assert caller.captured == ([] if whole is None else [whole])
    assert (last == DONE) is (whole is not None or until < len(said))
    assert bool(lost) is (last == DONE and whole is None)


@pytest.mark.parametrize(
    "chunk",
    [
        # Two pieces of one call: what they add up to is no part of what is given on.
        {"choices": [{"delta": {"tool_calls": [{"function": {"arguments": text}} for text in "ab"]}}], "usage": None},
        {"error": {"message": "overloaded"}, "choices": [], "usage": {"total_tokens": 7}},
    ],
)
def test_a_chunk_that_is_changed_for_the_caller_is_otherwise_as_it_came(chunk: dict[str, Any]) -> None:
    body = b"data: " + json.dumps(chunk).encode() + b"\n\n"
    chat = LiveChat(
        Given(body), counted=False, once={"metadata": {}}, capture=lambda *_: None, lost=lambda: None, ends=inf
    )
    first, *_ = map(as_json, Caller().reads(chat.pieces()))
    assert (first.get("choices"), first.get("error")) == (chunk["choices"], chunk.get("error"))


def as_json(data: bytes) -> Any:
    document = Event.of(data).document
    return data if document is None else document


def without_usage(data: bytes) -> bytes | None:
    chunk = Event.of(data).document
    if chunk is None or "usage" not in chunk or (chunk["usage"] and chunk.get("choices")):
        return data
    return None if chunk["usage"] else json.dumps({name: chunk[name] for name in chunk if name != "usage"}).encode()


@settings(max_examples=examples(240))
@given(body=streams())
def test_a_chat_becomes_a_response_that_ends_once_whatever_is_in_it(body: bytes) -> None:
    caller = Caller()
    spoken = SpokenResponse(Given(body), ASKED, ours={}, capture=caller.capture, ends=inf)
    told = [json.loads(data) for data in caller.reads(spoken.pieces())]
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    ends = [event for event in told if event["type"] in {"response.completed", "response.incomplete", "error"}]
    assert ends == told[-1:]
    assert caller.captured == [event["response"] for event in ends if "response" in event]
    assert not caller.captured or by_the_wrapper(body)


@settings(max_examples=examples(120))
@given(body=events())
def test_a_response_goes_through_and_ends_once_whatever_is_in_it(body: bytes) -> None:
    live = LiveResponse(Given(body), ours={"store": True}, capture=(caller := Caller()).capture, ends=inf)
    told = [as_json(data) for data in caller.reads(live.pieces())]
    last = told[-1]
    assert last["type"] in {"response.completed", "response.incomplete", "response.failed", "error"}
    assert all(event["response"]["store"] for event in told if isinstance(event, dict) and is_of_one(event))


def is_of_one(event: dict[str, Any]) -> bool:
    return isinstance(event.get("response"), dict)
