"""When an invocation leaves the rest to another one."""

from __future__ import annotations

import pytest

from assembly.time_left import GoesOn, TimeLeft


class Context:
    def __init__(self, left_s: int) -> None:
        self.left_s = left_s

    def get_remaining_time_in_millis(self) -> int:
        return self.left_s * 1000


def test_the_first_piece_is_always_done_and_others_while_there_is_time() -> None:
    context = Context(10)
    time_left = TimeLeft(context)
    time_left.spend()
    with pytest.raises(GoesOn):
        time_left.spend()
    context.left_s = 21
    time_left.spend()


@pytest.mark.parametrize(
    ("whole", "left", "goes_on"), [(900, 451, False), (900, 449, True), (30, 16, False), (30, 14, True)]
)
def test_the_end_has_half_of_an_invocation_at_least(whole: int, left: int, goes_on: bool) -> None:
    context = Context(whole)
    time_left = TimeLeft(context)
    context.left_s = left
    # Who has done nothing yet would leave it to another one for ever.
    time_left.finish()
    context.left_s = whole
    time_left.spend()
    context.left_s = left
    if goes_on:
        with pytest.raises(GoesOn):
            time_left.finish()
    else:
        time_left.finish()
