"""An answer whose id, model or time is none is captured all the same, and goes to the caller as it came."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.head import with_sound_head
from tests.flow.system import System
from tests.gateway.conftest import CHAT, listed
from tests.gateway.provider import REQUEST, Said, Scripted, answer

SOUND = {"id": "chatcmpl-1", "model": "big", "created": 1_790_000_000, "choices": []}


def test_a_sound_answer_is_not_copied() -> None:
    assert with_sound_head(SOUND, time="created") is SOUND


@pytest.mark.parametrize(
    ("odd", "head"),
    [
        ({"id": 7}, {"id": None}),
        ({"id": ""}, {"id": None}),
        ({"id": "é" * 129}, {"id": None}),
        ({"model": ["big"]}, {"model": None}),
        ({"created": 1_790_000_000.9}, {"created": 1_790_000_000}),
        ({"created": 1_790_000_000_000}, {"created": None}),
        ({"created": -1}, {"created": None}),
        ({"created": "2026-11-29"}, {"created": None}),
        ({"created": True}, {"created": None}),
        ({"created": float("nan")}, {"created": None}),
    ],
)
def test_what_can_be_no_head_is_left_out(odd: dict[str, Any], head: dict[str, Any]) -> None:
    expected = {name: value for name, value in {**SOUND, **head}.items() if value is not None}
    assert with_sound_head({**SOUND, **odd}, time="created") == expected


def test_it_is_captured_with_the_models_name_and_the_time_of_the_call(system: System, provider: Scripted) -> None:
    provider.answers = [answer(id=7, model=None, created=1_790_000_000_123)]
    status, answered = system.call("POST", CHAT, {**REQUEST, "store": True})
    assert (status, answered["id"], answered["created"]) == (200, 7, 1_790_000_000_123)
    [stored] = listed(system)
    assert stored["id"].startswith("chatcmpl-")
    assert stored["model"] == REQUEST["model"]
    assert stored["created"] < 1 << 33


def test_a_response_is_too(system: System, provider: Scripted) -> None:
    response = {"id": "resp_odd", "object": "response", "created_at": 1_790_000_000_123, "model": 7, "output": []}
    provider.responses = [Said(200, json.dumps(response).encode(), {})]
    assert system.call("POST", "/v1/responses", {"model": "big", "input": "hi"})[0] == 200
    [stored] = listed(system)
    assert (stored["id"], stored["model"]) == ("resp_odd", "big")
