"""Which captured responses a source selects, whatever their fields hold."""

from __future__ import annotations

from typing import Any

import pytest

from completions.completion import Completion
from completions.sources import StoredCompletions, StoredResponses

ASKED: dict[str, Any] = {
    "instructions": "Be brief",
    "temperature": 0.5,
    "top_p": 0.9,
    "reasoning": {"effort": "low"},
    "tools": [{"type": "function", "name": "look_up"}, {"type": "web_search"}],
    "user": "ann",
}


def response(request: dict[str, Any], answered: dict[str, Any] | None = None) -> Completion:
    """A completion that was captured as a response."""
    return Completion(
        id="resp_1",
        created=1,
        model="m",
        request={},
        response={},
        metadata={},
        original={"request": request, "response": answered or {}, "input_items": []},
        content_hash="0" * 20,
    )


def source(**conditions: Any) -> StoredResponses:
    return StoredResponses(type="responses", **conditions)


@pytest.mark.parametrize(
    ("conditions", "selected"),
    [
        ({}, True),
        ({"instructions_search": "BRIEF"}, True),
        ({"instructions_search": "long"}, False),
        ({"reasoning_effort": "low"}, True),
        ({"reasoning_effort": "high"}, False),
        ({"temperature": 0.5}, True),
        ({"temperature": 0.0}, False),
        ({"top_p": 0.9}, True),
        ({"top_p": 1}, False),
        ({"tools": ["look_up", "web_search"]}, True),
        ({"tools": ["look_up", "other"]}, False),
        ({"users": ["bob", "ann"]}, True),
        ({"users": ["bob"]}, False),
    ],
)
def test_each_condition_selects_by_what_was_captured(conditions: dict[str, Any], selected: bool) -> None:
    assert source(**conditions).selects(response(ASKED)) is selected


def test_what_the_response_repeats_counts_before_what_was_asked() -> None:
    completion = response(ASKED, {"temperature": 1.0, "top_p": None})
    assert source(temperature=1.0, top_p=0.9).selects(completion)
    assert not source(temperature=0.5).selects(completion)


@pytest.mark.parametrize("odd", [[], [0.5], {}, {"a": [1]}, "text", 7, True, [None], [[]], [{"name": []}]])
@pytest.mark.parametrize("field", sorted(ASKED))
def test_a_field_of_any_shape_is_compared_and_never_raises(field: str, odd: Any) -> None:
    conditions = {
        "instructions_search": "Be brief",
        "reasoning_effort": "low",
        "temperature": 0.5,
        "top_p": 0.9,
        "tools": ["look_up"],
        "users": ["ann"],
    }
    assert source(**conditions).selects(response(ASKED))
    assert not source(**conditions).selects(response({**ASKED, field: odd}))


def test_a_chat_completion_is_no_response() -> None:
    completion = response(ASKED)
    assert StoredCompletions(type="stored_completions").selects(completion)
    chat = Completion(
        id="chatcmpl-1", created=1, model="m", request={}, response={}, metadata={}, content_hash="0" * 20
    )
    assert not source().selects(chat)
