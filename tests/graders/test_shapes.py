"""The cases of `tests/data/shapes/` whose door is the graders' view of an answer."""

from __future__ import annotations

import pytest

from graders.namespace import namespace
from tests.shapes import cases

CASES = cases("sample")


@pytest.mark.parametrize("name", CASES)
def test_graders_see_of_a_captured_shape_what_they_see_of_any(name: str) -> None:
    case = CASES[name]
    message = {"role": "assistant", **case.given}
    seen = namespace({"model": "m", "choices": [{"index": 0, "message": message}]}, asked_json=None)
    assert {part: seen[part] for part in case.expected} == case.expected
