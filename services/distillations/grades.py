"""What runs of an eval said about the rows of a training set, and what that cost."""

from __future__ import annotations

from pydantic import Field

from foundation.document import Document


class CriterionGrade(Document):
    """What one criterion found in an answer."""

    name: str
    """The criterion's id."""
    passed: bool
    score: float | None = None
    """In the unit of its grader; null where it could not grade the row."""


class RowGrade(Document):
    """What a run found in the answer of a row."""

    step: str
    """The number of the step in the recipe, from 1, and its rule, as in the card's `runs`."""
    run_id: str
    item_id: str
    """The output item of that run, which has the answer and what each grader said."""
    passed: bool
    """Whether every criterion passed, and the answer was not cut off; where the teacher was asked again, whether it
    gave the same answer."""
    score: float | None = None
    """The mean of the criteria's scores, or the score of the one that the step names; null where there is none."""
    criteria: list[CriterionGrade] = Field(default_factory=list)
    error: str | None = None
    """The code of what kept the row from being graded."""


class Agreement(Document):
    """How far the teacher agrees with itself: the step `consensus` asked it again what it had been asked."""

    step: int
    """The number of the step in the recipe, from 1."""
    rows: int
    """The rows that it answered again."""
    unanswered: int = 0
    """The rows for which it was asked again in vain."""
    share: float | None
    """The mean share of its new answers that are the stored one, from 0 to 1; null where there are none."""
    unanimous: int
    """The rows to which each new answer was the stored one."""


class Augmented(Document):
    """What was written for a rare slice."""

    step: int
    """The number of the step in the recipe, from 1."""
    slice: str
    rows: int
    """The rows that the slice had."""
    written: int
    """The inputs that were written for it."""
    inputs_passed: int
    """Those of them that passed their criteria, and ask what no row and no other input asks."""
    answers_passed: int
    """Those of them whose answers passed, too, and are in the slice."""
    entered: int
    """Those of them that no rule refused, such as near-copies of test rows: the synthetic rows of the slice."""


class DatasetRun(Document):
    """A run that a step of the recipe needs: what it grades or asks, and what that costs."""

    name: str
    """The number of the step in the recipe, from 1, and its rule."""
    eval_id: str | None = None
    """The eval whose criteria it grades by; null in a dry run of a step that brings its own criteria."""
    run_id: str | None = None
    """Null in a dry run, which pays for nothing."""
    rows: int
    """The rows that it grades or asks."""
    left_out: int = 0
    """The rows for which the budget did not reach."""
    estimated_usd: float | None = None
    """What it was expected to cost at most, in US dollars; null where a model has no price."""
    cost_usd: float | None = None
    """What it has cost, once it has ended; answers that were paid before cost nothing."""

    @property
    def usd(self) -> float:
        """What it has cost, or is expected to; 0 where nobody knows."""
        return (self.estimated_usd if self.cost_usd is None else self.cost_usd) or 0.0
