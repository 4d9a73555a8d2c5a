"""Of much that is worked on together, what fails is found and fails alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from foundation.errors import RetryLater
from foundation.isolate import isolate


def test_those_that_fail_are_given_and_all_others_are_done() -> None:
    done: set[int] = set()

    def work(numbers: Sequence[int]) -> None:
        if guilty := {3, 7} & set(numbers):
            raise ValueError(f"{guilty} cannot be done")
        done.update(numbers)

    assert [number for number, _ in isolate(range(10), work)] == [3, 7]
    assert done == set(range(10)) - {3, 7}


def test_what_goes_well_is_done_in_one_call() -> None:
    calls: list[Sequence[int]] = []
    assert list(isolate(range(10), calls.append)) == []
    assert calls == [range(10)]


def test_nobody_is_guilty_where_aws_is_only_busy() -> None:
    calls: list[Sequence[int]] = []

    def work(numbers: Sequence[int]) -> None:
        calls.append(numbers)
        raise RetryLater("throttled")

    with pytest.raises(RetryLater):
        list(isolate(range(4), work))
    assert len(calls) == 1
