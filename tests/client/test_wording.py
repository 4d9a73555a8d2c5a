"""Words that go with numbers, in what commands print."""

from __future__ import annotations

from stillhouse.captured.printed import group_line
from stillhouse.wording import counted


def test_one_is_no_plural():
    assert [counted(number, "row") for number in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]


def test_a_group_of_one_completion_says_so():
    group = {"group": {"model": "m"}, "completions": 1, "failed": 0, "prompt_tokens": 8, "completion_tokens": 1}
    line = group_line({**group, "cost_usd": None, "latency_ms": None})
    assert line == "m  1 completion, 0 failed  8 + 1 token  cost not known"
