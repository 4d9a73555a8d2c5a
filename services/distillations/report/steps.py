"""What each rule of the recipe did to the completions that came to it."""

from __future__ import annotations

from pydantic import Field

from distillations.dataset_row import Action
from foundation.document import Document


class RowExample(Document):
    """A completion to which a rule did something.

    Its texts are read when somebody asks for the report: a completion that was deleted since has none.
    """

    id: str
    """The completion's id."""
    action: Action
    reason: str
    others: list[str] = Field(default_factory=list)
    """The completions or test rows beside it, by id."""
    score: float | None = None
    """How alike the two questions are, from 0 to 1; null where that was not measured."""
    question: str | None = None
    """The beginning of its last question, at most 200 bytes; null where it was deleted, and in the stored report."""
    answer: str | None = None
    """The beginning of its answer, as `question`."""


class RuleReport(Document):
    """One rule, in the order in which rules are applied."""

    rule: str
    before: int
    """The completions that came to it."""
    after: int
    """Those that it left."""
    dropped: int
    changed: int
    """Those that it changed or repeated."""
    examples: list[RowExample] = Field(default_factory=list)
    """The first three by time."""
