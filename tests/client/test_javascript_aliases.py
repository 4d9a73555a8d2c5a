"""The JavaScript wrapper chooses as the gateway does, and goes the ways of the Python one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.client.node import Node

_SILENT_MS = 390
CASES = json.loads((Path(__file__).parents[1] / "data" / "alias_choices.json").read_text())


def test_the_choice_is_the_gateways(node: Node) -> None:
    assert node.answered("aliases.ts", "choices", given=CASES) == [case["target"] for case in CASES]


def test_calls_by_an_alias_go_where_it_says_and_none_fails(node: Node) -> None:
    said = node.answered("aliases.ts", "calls")
    assert said["own"] == ["own.test there Bearer own -", "own.test other Bearer own -"]
    assert said["mine"] == ["mine.test mine Bearer mine -"]
    assert said["keyed"] == ["mine.test keyed Bearer mine -"]
    _are_judged_as_in_the_gateway(said)
    assert said["gone"] == ["own.test back Bearer own -"]
    assert said["gateway"] == ["stillhouse.test of-gateway Bearer k false"]
    assert (said["fallback status"], said["both down"]) == (200, 503)
    assert said["fallback"] == said["both"] == ["own.test there Bearer own -", "own.test back Bearer own -"]
    assert said["away"] == ["own.test there Bearer own -"] * 3
    assert (said["changes"], said["flushed"], said["warnings"]) == (50, True, 1)
    assert said["records"] == [
        ["of-there", {"name": "quick", "version": 1, "target": "of-there"}],
        ["of-back", {"name": "quick", "version": 9, "target": "of-there"}],
    ]


def test_a_conversation_of_responses_stays_where_it_began(node: Node) -> None:
    first, after_a_change, without_a = node.answered("aliases.ts", "conversations")
    assert set(first) == {"a", "b"}
    assert after_a_change == first
    assert without_a == ["b"] * 12


def _are_judged_as_in_the_gateway(said: dict[str, Any]) -> None:
    """Sure, sure and asked for, unsure, a stream, a target that is away, a teacher that is, and a silent target.

    Then a cascade of a kind that is not known here, and a target that nobody serves.
    """
    small, dear = "own.test small Bearer own - logprobs", "own.test dear Bearer own -"
    wanted = {"content": [{"token": "hi", "logprob": -0.05}]}
    assert said["judged"] == [
        ["m-small", None, small],
        ["m-small", wanted, small],
        ["m-dear", None, small, dear],
        ["m-dear", None, dear],
        ["m-dear", None, small, dear],
        ["m-small", None, small, dear],
        ["m-dear", None, small, dear],
        ["m-dear", None, dear],
        ["m-dear", None, dear],
    ]
    # The time of a target that was silent counts.
    assert max(took for took, _ in said["times"]) >= _SILENT_MS
    assert all(first is None or took >= first for took, first in said["times"])
    cascade = {"to": "of-dear", "by": "logprob", "threshold": -0.1}
    first = {"model": "m-small", "prompt_tokens": 7, "cached_tokens": None, "completion_tokens": 1}
    assert said["cascades"] == [
        {**cascade, "confidence": confidence, "kept": kept, "first_asked": asked}
        for confidence, kept, asked in (
            (-0.05, True, None),
            (-0.05, True, None),
            (-0.4, False, first),
            (None, False, None),
            (-0.4, True, None),
            (None, False, None),
        )
    ]
