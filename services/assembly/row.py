"""A completion as the rules see it that look at all together: its keys and its slices, without its body."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_UNGRADED = (False, -math.inf)
BY_A_PERSON = (True, math.inf)


@dataclass(slots=True, eq=False)
class Row:
    """A completion as the rules see it that look at all together. Its line lies in the spool."""

    id: str
    created: int
    input_key: str
    answer_key: str
    unit: str
    """Rows of one unit train together or validate together."""
    tags: dict[str, str]
    """Its slices, by key."""
    tokens: int
    history_turns: int
    offset: int
    length: int
    copies: int = 1
    signed: int | None = None
    """Where the signature of its question lies in the spool; None while it has none."""
    corrected: bool = False
    """Whether a person wrote its answer."""
    kept: bool = False
    """Whether a person keeps it, whatever a step finds."""
    languages: tuple[str, str] = ("", "")
    """The languages of the question and of the answer; empty where that is not known, or not asked."""
    synthetic: bool = False
    """Whether the teacher wrote its input, too."""
    number: int = -1
    """Of a row of a large set, its place among those of its part, behind 5,000 for each part before; else -1."""
    lies: int = 0
    """Where its line lies among those of its part."""
    grade: tuple[bool, float] | None = None
    """How good its answer is: whether it passed, then its score; None where it was not graded."""

    @property
    def rank(self) -> tuple[bool, float]:
        """How good its answer is; what was not graded comes after all that was."""
        return self.grade or _UNGRADED

    @property
    def by_hand(self) -> bool:
        """Whether a person looked at its answer, and so it need not be graded."""
        return self.corrected or self.kept

    @property
    def order(self) -> tuple[int, str]:
        return self.created, self.id


def preferred(rows: Iterable[Row], keep: str) -> list[Row]:
    """The rows in the order of preference: the newest first, the oldest, or the best graded and of these the newest.

    What a person keeps comes before all others.
    """
    if keep == "best":
        by_preference = sorted(rows, key=lambda row: (row.rank, row.order), reverse=True)
    else:
        by_preference = sorted(rows, key=lambda row: row.order, reverse=keep == "newest")
    return sorted(by_preference, key=lambda row: not row.kept)
