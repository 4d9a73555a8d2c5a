"""A record that is plainly sound is one by every rule, and is read as the rules read it."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.fast import plain_chat
from capture.shapes import as_chat
from completions.completion import Completion
from foundation.errors import ApiError
from tests.bench.records import record
from tests.examples import examples

ODD: list[Any] = [
    None, True, False, 0, 1, -1, 1.0, 0.5, 1 << 33, 1 << 53, (1 << 33) - 1, (1 << 53) - 1, "", "1", "12", "x" * 64,
    "x" * 65, "x" * 256, "x" * 257, "x" * 512, "x" * 513, "user", "nobody", "response", [], [None], ["user"],
    {}, {"a": "b"}, {"a": 1}, {"role": "user"}, {"role": ["user"]}, {"x" * 65: ""}, {str(n): "" for n in range(16)},
    {"name": "quick", "version": 1, "target": "m"}, {"name": "q\n", "version": 1, "target": "m"},
    {"name": "q", "version": True, "target": ""}, {"name": "q", "version": 0, "target": "m"}, {"name": "a/b"},
    {str(n): "" for n in range(17)}, [{"role": "tool"}], [{"message": {"role": "user"}}], [{"message": {"role": None}}],
]  # fmt: skip
NAMES = [
    "request", "response", "metadata", "reference", "created", "latency_ms", "provider", "origin", "output", "error",
    "object", "model", "id", "messages", "choices", "input", "original", "untrainable", "previous_response_id",
    "alias",
]  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a document with each of its keys, and with some that it does not have."""
    steps: list[Any] = []
    if isinstance(value, dict):
        steps = [*value, *(name for name in NAMES if name not in value)]
    elif isinstance(value, list):
        steps = list(range(len(value)))
    places_ = [(value, step) for step in steps]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return places_ + [place for value in inner for place in places(value)]


def agree(document: Any) -> bool:
    """Whether it is plainly sound; if it is, the rules say so too and give the same completion.

    What the rules take, plainly sound or not, can be read back.
    """
    plain = plain_chat(copy.deepcopy(document))
    try:
        ruled = Completion.of(as_chat(document, None), at=1)
    except ApiError:
        assert plain is None
        return False
    assert Completion.read(ruled.line()) == ruled
    assert plain is None or Completion.of(plain, at=1) == ruled
    return plain is not None


def test_most_records_are_plainly_sound() -> None:
    assert all(agree(record(number)) for number in range(20))
    spoken = {"role": "user"}
    bare = {"request": {"model": "m", "messages": [spoken]}, "response": {"choices": [{"message": spoken}]}}
    assert agree(bare)
    # A field that nobody knows may be a misspelt one.
    assert not any(agree({**bare, name: 1}) for name in ("metdata", "original", "untrainable"))


@pytest.mark.soak
def test_what_is_odd_in_any_one_place_is_plainly_sound_only_by_every_rule(soak: bool) -> None:
    """Half of the odd values in each place, and without `--soak` one in six, others in the next place."""
    sound, one_in = 0, 2 if soak else 6
    for number in range(len(places(record(1)))):
        for value in ODD[number % one_in :: one_in]:
            document = record(1)
            holder, step = places(document)[number]
            holder[step] = copy.deepcopy(value)
            sound += agree(document)
    assert sound > 500 // one_in


@settings(max_examples=examples(100))
@given(st.integers(0, 1 << 32), st.integers(2, 5))
def test_what_is_odd_in_some_places_is_plainly_sound_only_by_every_rule(seed: int, changes: int) -> None:
    draw = random.Random(seed)
    document = record(1)
    for _ in range(changes):
        holder, step = draw.choice(places(document))
        holder[step] = copy.deepcopy(draw.choice(ODD))
    agree(document)


def test_what_is_not_plainly_sound_is_refused_by_the_rules_or_read_by_them() -> None:
    for document in (None, [], {}, {"request": {}}, {**record(1), "created": "12"}, {**record(1), "origin": "x" * 65}):
        assert plain_chat(document) is None
    assert as_chat({**record(1), "created": "12"}, None)["created"] == 12
    refused = 0
    for value in ODD:
        try:
            as_chat({**record(1), "origin": value}, None)
        except ApiError:
            refused += 1
            assert plain_chat({**record(1), "origin": value}) is None
    assert refused > 10


def test_a_call_by_an_alias_is_plainly_sound() -> None:
    sound = {"name": "quick-reply", "version": 3, "target": "ft:x"}
    assert agree({**record(0), "alias": sound})
    odd = [
        {"name": "a/b"},
        {"name": "q\n"},
        {"name": "x" * 65},
        {"version": 0},
        {"version": True},
        {"version": 1 << 31},
    ]
    odd += [{"target": ""}, {"target": None}, {"target": "x" * 257}, {"more": 1}]
    for wrong in odd:
        assert not agree({**record(0), "alias": {**sound, **wrong}}), wrong
    assert not agree({**record(0), "alias": {}})


def test_what_is_said_of_a_cascade_holds_numbers_and_no_texts_of_them() -> None:
    """It is stored as it was pushed, and read as numbers."""
    asked = {"model": "small", "prompt_tokens": 7, "cached_tokens": None, "completion_tokens": 1, "latency_ms": 12}
    sound = {"to": "big", "by": "logprob", "threshold": -1, "confidence": -1.5, "kept": False, "first_asked": asked}

    def pushed(**fields: Any) -> dict[str, Any]:
        alias = {"name": "quick-reply", "version": 3, "target": "small", "cascade": {**sound, **fields}}
        return as_chat({**record(0), "alias": alias}, None)

    assert pushed()["alias"]["cascade"] == sound
    wrong: list[dict[str, Any]] = [{"confidence": "-1.5"}, {"confidence": True}, {"threshold": "-1"}, {"kept": "no"}]
    wrong += [{"first_asked": {**asked, "latency_ms": odd}} for odd in ("12", 1.0, -1)]
    for fields in wrong:
        with pytest.raises(ApiError):
            pushed(**fields)
