"""What others call JSON is read to the nearest value that orjson can write again."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation import foreign_json
from foundation.foreign_json import MOST_LEVELS, Flaw, NotJSON
from tests.examples import examples

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a": 1.5}', {"a": 1.5}),
        (b'{"logprob": -Infinity, "top": [NaN, Infinity, 1e400]}', {"logprob": None, "top": [None, None, None]}),
        (b'"cut \\ud83d"', "cut \N{REPLACEMENT CHARACTER}"),
        (b'"whole \\ud83d\\ude00"', "whole 😀"),
        (b'{"\\ud83d": NaN}', {"\N{REPLACEMENT CHARACTER}": None}),
        (b'"n\xe9"', "n\N{REPLACEMENT CHARACTER}"),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'[NaN, 36893488147419103232, {"a": 1, "a": {"b": NaN}}]', [None, float(2**65), {"a": {"b": None}}]),
        (b"[NaN, " + b"9" * 5000 + b"]", [None, None]),
        (b"[" * MOST_LEVELS + b"NaN" + b"]" * MOST_LEVELS, None),
    ],
)
def test_what_others_write_is_read(text: bytes, value: Any) -> None:
    read = foreign_json.read(text)
    while isinstance(read, list) and len(read) == 1:
        [read] = read
    assert read == value
    orjson.dumps(read)


@settings(max_examples=examples(200))
@given(document=JSON)
def test_what_pythons_json_writes_is_read_and_written_again(document: Any) -> None:
    read = foreign_json.read(json.dumps(document).encode())
    assert foreign_json.read(orjson.dumps(read)) == read


@pytest.mark.parametrize(
    "text",
    [b"", b"<html>", b'{"a": ', b"{'a': 1}", b"data: {}", b"[" * 100_000]
    + [b"[" * levels + last + b"]" * levels for levels in (MOST_LEVELS + 1, 1500) for last in (b"NaN", b"0")],
)
def test_what_is_no_json_to_any_reader_is_refused(text: bytes) -> None:
    with pytest.raises(NotJSON) as refusal:
        foreign_json.read(text)
    assert "html" not in str(refusal.value)


def test_a_close_look_leaves_a_flaw_where_something_would_change() -> None:
    text = b'[NaN, 1e400, 18446744073709551616, {"a": 1, "a": 2}, 18446744073709551615, "\xff"]'
    assert foreign_json.read_closely(text) == [
        Flaw("not_finite", None),
        Flaw("not_finite", None),
        Flaw("integer_too_large", 18446744073709551616.0),
        Flaw("duplicate_key", {"a": 2}, "a"),
        18446744073709551615,
        "\udcff",
    ]


class Watched(str):
    """A key that counts how often it is compared with another one."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other: object) -> bool:
        Watched.compared += 1
        return super().__eq__(other)

    __hash__ = str.__hash__


def test_a_doubled_key_is_found_in_one_pass() -> None:
    """A body of 4 MB may have 400,000 keys. Held against each other, 20,000 took 19 seconds."""
    pairs = [(Watched(number), None) for number in [*range(1000), 999]]
    flaw = foreign_json._object(pairs)
    assert (flaw.kind, flaw.key) == ("duplicate_key", "999")
    assert Watched.compared < 10 * len(pairs)
