"""Looks share the chance of a false alarm: all of them together never use more than there is."""

from __future__ import annotations

import pytest

from stats.spending import spent_at


def test_all_looks_together_use_no_more_than_there_is() -> None:
    used = [spent_at(look, 0.05) for look in range(1, 4000)]
    assert sum(used[:30]) == pytest.approx(0.05 * 30 / 31)
    assert sum(used) < 0.05
    assert used == sorted(used, reverse=True)


@pytest.mark.parametrize(("look", "alpha"), [(0, 0.05), (1, 0.0), (1, 1.0)])
def test_what_is_no_look_and_no_chance_is_refused(look: int, alpha: float) -> None:
    with pytest.raises(ValueError, match="from 1"):
        spent_at(look, alpha)
