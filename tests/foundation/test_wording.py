"""Words that go with numbers."""

from __future__ import annotations

from foundation.wording import counted


def test_one_is_no_plural() -> None:
    said = [counted(number, "row") for number in (0, 1, 2, -1)]
    assert said == ["0 rows", "1 row", "2 rows", "-1 rows"]
