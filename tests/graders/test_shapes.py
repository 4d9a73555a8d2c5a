"""The cases of `tests/data/shapes/` whose door is the graders' view of an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graders.namespace import namespace

CASES: dict[str, Any] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in Path("tests/data/shapes").glob("sample-*.json")
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_graders_see_of_a_captured_shape_what_they_see_of_any(name: str) -> None:
    case = CASES[name]
    message = {"role": "assistant", **case["given"]}
    seen = namespace({"model": "m", "choices": [{"index": 0, "message": message}]}, asked_json=None)
    assert {part: seen[part] for part in case["expected"]} == case["expected"]
