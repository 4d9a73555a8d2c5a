"""The JavaScript wrapper chooses as the gateway does, and goes the ways of the Python one."""

from __future__ import annotations

import json
from pathlib import Path

from tests.client import node

CASES = (Path(__file__).parents[1] / "data" / "alias_choices.json").read_text()


def test_the_choice_is_the_gateways() -> None:
    assert node.answered("test/aliases.ts", "choices", stdin=CASES) == [case["target"] for case in json.loads(CASES)]


def test_calls_by_an_alias_go_where_it_says_and_none_fails() -> None:
    said = node.answered("test/aliases.ts", "calls")
    assert said["own"] == ["own.test there Bearer own -", "own.test other Bearer own -"]
    assert said["mine"] == ["mine.test mine Bearer mine -"]
    assert said["keyed"] == ["mine.test keyed Bearer mine -"]
    assert said["cascade"] == ["own.test dear Bearer own -"]
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
