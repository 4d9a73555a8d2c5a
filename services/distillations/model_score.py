"""How one model did on the test rows."""

from __future__ import annotations

from typing import Self

from evals.gains import Score
from foundation.document import Document
from stats import Interval


class ModelScore(Document):
    """One model's pass rate on the rows that every compared run graded."""

    model: str
    passed: int
    total: int
    score: float
    """`passed / total`, from 0 to 1; 0 where there is no row."""
    interval: Interval
    """Wilson's 95% interval of `score`, low and high."""

    @classmethod
    def of(cls, model: str, score: Score) -> Self:
        return cls(model=model, passed=score.passed, total=score.total, score=score.score, interval=score.interval)
