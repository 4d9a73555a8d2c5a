"""One of many at which something raises."""

from __future__ import annotations

import pytest

from foundation.one_by_one import one_by_one


def test_one_that_raises_holds_no_other_up_and_is_raised_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    done = []

    def do(number: int) -> None:
        done.append(100 // number)

    with pytest.raises(ZeroDivisionError):
        one_by_one([5, 0, 4, 0], do, name=str, failed="no share")
    assert done == [20, 25]
    assert [record.message for record in caplog.records] == ["no share", "no share"]
    assert [record.about for record in caplog.records] == ["0", "0"]  # type: ignore[attr-defined]


def test_the_first_error_is_the_one_that_is_raised() -> None:
    def do(key: str) -> None:
        raise KeyError(key)

    with pytest.raises(KeyError, match="a"):
        one_by_one("ab", do, name=str, failed="no")
    one_by_one("", do, name=str, failed="no")
