"""Events come out of the pieces of a network, wherever it cuts them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers import server_sent
from providers.server_sent import Events, EventTooLarge
from tests.examples import examples


def read(*pieces: bytes) -> list[bytes]:
    events = Events()
    found = [data for piece in pieces for data in events.feed(piece)]
    return found + list(events.rest())


TEXT = (
    b"\xef\xbb\xbfdata: one\n\n: a comment\n\nevent: x\ndata:two\ndata:  three\n\nid: 7\n\ndata: \xe2\x80\xa8 four\n\n"
)
DATA = [b"one", b"two\n three", b"\xe2\x80\xa8 four"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@settings(max_examples=examples(25))
@given(cuts=st.lists(st.integers(0, 140), max_size=12))
def test_it_does_not_matter_where_a_stream_is_cut(end: bytes, cuts: list[int]) -> None:
    text = TEXT.replace(b"\n", end)
    places = sorted({0, *(min(cut, len(text)) for cut in cuts), len(text)})
    assert read(*(text[first:last] for first, last in pairwise(places))) == DATA


def test_an_event_is_there_with_its_last_byte_and_not_with_the_next_event() -> None:
    events = Events()
    assert list(events.feed(b"data: one\n")) == []
    assert list(events.feed(b"\ndata: two")) == [b"one"]
    assert list(events.feed(b"\n\n")) == [b"two"]


@pytest.mark.parametrize(
    ("text", "data"), [(b"data: one", [b"one"]), (b"data: one\r", [b"one"]), (b"", []), (b"\n", [])]
)
def test_the_end_of_a_stream_ends_its_last_event(text: bytes, data: list[bytes]) -> None:
    assert read(text) == data


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 50, b"data: xxxxxxxxxxxxxxxxxxxxxxxxx\n" * 3])
def test_an_event_without_an_end_does_not_fill_the_memory(piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_sent, "LARGEST", 60)
    with pytest.raises(EventTooLarge):
        read(piece, piece)


def test_what_is_no_data_is_not_counted_with_what_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_sent, "LARGEST", 60)
    assert read(*[b": a comment that is read and forgotten\n\n"] * 9, b"data: x\n\n") == [b"x"]
