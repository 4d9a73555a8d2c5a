"""A value is read again when it is old; a read that fails keeps the last good one."""

from __future__ import annotations

import pytest

from foundation.refreshed import Refreshed


class Source:
    """What is read: numbers that grow, or an error; and the seconds of a clock."""

    def __init__(self) -> None:
        self.reads = 0
        self.broken = False
        self.seconds = 1000.0

    def read(self) -> int:
        self.reads += 1
        if self.broken:
            raise OSError("out of order")
        return self.reads

    def refreshed(self) -> Refreshed[int]:
        return Refreshed(self.read, every_s=50, clock=lambda: self.seconds)


def test_it_is_read_again_when_it_is_old_and_not_before() -> None:
    source = Source()
    value = source.refreshed()
    assert value.get() == 1
    source.seconds += 49.9
    assert value.get() == 1
    source.seconds += 0.1
    assert value.get() == 2
    assert value.get(within_s=5) == 2
    source.seconds += 5
    assert value.get(within_s=5) == 3


def test_a_read_that_fails_keeps_the_last_good_value_is_logged_and_comes_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = Source()
    value = source.refreshed()
    assert value.get() == 1
    source.seconds, source.broken = source.seconds + 50, True
    assert [value.get(), value.get()] == [1, 1]
    assert source.reads == 2
    assert "the last good value is kept" in caplog.text
    source.seconds, source.broken = source.seconds + 50, False
    assert value.get() == 3


def test_without_a_last_good_value_the_error_reaches_the_caller() -> None:
    source = Source()
    value = source.refreshed()
    source.broken = True
    for _ in range(2):
        with pytest.raises(OSError, match="out of order"):
            value.get()
    source.broken = False
    assert value.get() == 3
    value.forget()
    source.broken = True
    with pytest.raises(OSError, match="out of order"):
        value.get()
