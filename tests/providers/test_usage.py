"""Sums of usage over calls, chunks and models."""

from __future__ import annotations

from typing import Any

import pytest

from providers.usage import ModelUsage

FIELDS = ("invocation_count", "prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens")


def summed(usage: ModelUsage) -> list[int]:
    return [getattr(usage, name) for name in FIELDS]


def test_calls_add_up() -> None:
    usage = ModelUsage(model_name="m")
    usage.add({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "cached_tokens": 3})
    usage.add({"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}, "total_tokens": "odd"})
    assert summed(usage) == [2, 10, 2, 11, 4]


@pytest.mark.parametrize("odd", [None, -1, (1 << 53) + 1, 1e300, "12", True, [1]])
def test_a_count_that_no_call_can_have_is_none(odd: Any) -> None:
    usage = ModelUsage(model_name="m")
    usage.add(dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens"), odd))
    usage.add({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": odd}})
    usage.add({"prompt_tokens": 5, "prompt_tokens_details": odd})
    assert summed(usage) == [3, 10, 0, 0, 0]


def test_cached_tokens_that_were_counted_apart_are_a_part_of_the_prompt() -> None:
    usage = ModelUsage(model_name="m")
    usage.add({"prompt_tokens": 86, "completion_tokens": 4, "total_tokens": 90, "cached_tokens": 17_817})
    assert summed(usage) == [1, 17_903, 4, 17_907, 17_817]


def test_sums_add_up_also_where_each_is_more_than_one_call_may_have() -> None:
    total = ModelUsage(model_name="m")
    for _ in range(2):
        total.merge(ModelUsage(model_name="m", invocation_count=100, prompt_tokens=(1 << 53) + 1))
    assert summed(total) == [200, (1 << 54) + 2, 0, 0, 0]


def test_sums_end_where_json_ends() -> None:
    end = (1 << 63) - 1
    total = ModelUsage(model_name="m", prompt_tokens=1 << 70)
    assert total.prompt_tokens == end
    total.merge(ModelUsage(model_name="m", prompt_tokens=5, total_tokens=end))
    total.merge(ModelUsage(model_name="m", total_tokens=1))
    assert summed(total) == [0, end, 0, end, 0]
