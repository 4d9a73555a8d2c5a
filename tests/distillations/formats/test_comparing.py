"""What is odd about a row among the others: the fence around an answer."""

from __future__ import annotations

import pytest

from distillations.formats.comparing import without_fence


@pytest.mark.parametrize(
    "text", ['```json\n{"a": 1}\n```', ' ```\r\n{"a": 1}```\n', '```json  \n\n{"a": 1}\n\n  ```\t']
)
def test_json_in_a_fence_is_taken_out_of_it(text: str) -> None:
    assert without_fence(text) == '{"a": 1}'


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        '```json {"a": 1}```',
        "```\nno JSON\n```",
        'See:\n```\n{"a": 1}\n```',
        "```\n```",
        # A look that went back for each blank would take hours.
        f"```\n{' ' * 2_000_000}",
    ],
)
def test_any_other_text_is_none(text: str) -> None:
    assert without_fence(text) is None
