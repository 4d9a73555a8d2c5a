"""The call of a cascade whose answer was not kept: it lies in the index, and costs."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from backports import zstd

from completions import postings
from completions.filters import Filter
from completions.first_asked import FirstAsked
from completions.postings import Reference

ASKED = {"model": "small", "prompt_tokens": 10, "cached_tokens": None, "completion_tokens": 1, "latency_ms": 5}


def reference(first_asked: FirstAsked | None, **fields: Any) -> Reference:
    told = {"models": ("big",), "prompt_tokens": 10, "completion_tokens": 1, "metadata": {}}
    return Reference(1, "c", "h", "o", 0, 1, first_asked=first_asked, **{**told, **fields})


def test_it_is_read_from_the_alias_of_a_capture() -> None:
    assert FirstAsked.of({"name": "quick", "cascade": {"first_asked": ASKED}}) == FirstAsked("small", 10, None, 1)
    for alias in (None, {"name": "quick"}, {"cascade": None}, {"cascade": {}}, {"cascade": {"first_asked": None}}):
        assert FirstAsked.of(alias) is None
    assert FirstAsked.of({"cascade": {"first_asked": {"model": "small"}}}) == FirstAsked("small")


def test_it_comes_back_from_a_row_and_rows_of_before_have_none() -> None:
    both = [reference(FirstAsked("small", 10, None, 1)), reference(None)]
    row = postings.packed(both)
    assert postings.unpacked(row) == both
    assert isinstance(postings.unpacked(row)[0].first_asked, FirstAsked)
    columns = [[value] for value in reference(None)[:-1]]
    older = {"object": "o", "references": zstd.compress(orjson.dumps(columns))}
    assert postings.unpacked(older) == [reference(None)]


@pytest.mark.parametrize(
    ("first", "least", "most", "fits"),
    [
        (None, 2.9, 3.1, False),
        (FirstAsked("small", 10, None, 1), 2.9, 3.1, True),
        (FirstAsked("small", 10, None, 1), 1.9, 2.1, False),
        (FirstAsked("unpriced", 10, None, 1), 0.0, 9.0, False),
        (FirstAsked("small", None, None, 1), 0.0, 9.0, False),
    ],
)
def test_a_completions_cost_is_that_of_both_calls(
    first: FirstAsked | None, least: float, most: float, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    each = {"small": {"input": "50000", "output": "500000"}, "big": {"input": "100000", "output": "1000000"}}
    monkeypatch.setattr("providers.prices._price", each.get)
    wanted = Filter(min_cost_usd=least, max_cost_usd=most)
    assert wanted.fits(reference(first)) is fits
