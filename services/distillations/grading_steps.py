"""The steps of a recipe that need grades: they are given by runs of an eval, which the making of the set waits for."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from distillations.step import BaseStep
from foundation.bounds import Name, Text
from graders import Criterion

MOST_CRITERIA = 16
type Dollars = Annotated[float, Field(ge=0, lt=1e9)]


class Graded(BaseStep):
    """By what rows are graded, and for how much. None of both is for steps that know what is right by themselves."""

    eval_id: Name | None = None
    """The eval whose criteria count. What the eval has paid for before is not paid again."""
    criteria: Annotated[list[Criterion], Field(min_length=1, max_length=MOST_CRITERIA)] | None = None
    """Testing criteria, as an eval has them, in place of those of an eval."""
    max_cost_usd: Dollars | None = None
    """The most that the models may cost that this step asks, by an estimate, in US dollars; null for no limit."""

    @property
    def is_judged(self) -> bool:
        """Whether there is something to grade by."""
        return self.eval_id is not None or self.criteria is not None

    @model_validator(mode="after")
    def _grades_by_one_thing(self) -> Self:
        if self.eval_id is not None and self.criteria is not None:
            raise ValueError("give eval_id or criteria, not both")
        return self


class BestOf(BaseStep):
    """Of several answers to one question, drops all but the one that a step before graded best."""

    rule: Literal["best_of"] = "best_of"


class Quality(Graded):
    """Drops an answer that does not pass the criteria. Steps behind it know the grades, and can keep the best."""

    rule: Literal["quality"] = "quality"
    keep: Literal["passes", "all"] = "passes"
    """What every criterion passes; or all rows, which are then graded only."""
    least_score: FiniteFloat | None = None
    """The least score of a row that is kept, in the unit of the graders; null for none."""
    criterion: Name | None = None
    """The id or the name of the criterion whose score counts; null for the mean of all."""
    ungraded: Literal["drop", "keep"] = "drop"
    """What becomes of a row that could not be graded, or that the budget did not reach."""

    @model_validator(mode="after")
    def _grades_by_something(self) -> Self:
        if not self.is_judged:
            raise ValueError("give eval_id or criteria: what the answers are graded by")
        return self


class Augment(Graded):
    """Has the teacher write inputs of rare slices and answer them; both are graded before they train.

    What enters is marked as synthetic in the rows, the card, the manifest and the lineage, and never validates.
    """

    rule: Literal["augment"] = "augment"
    by: Name = Field(min_length=1)
    """What makes a slice: a metadata key, or `answer`."""
    at_least: int = Field(ge=1, lt=1 << 31)
    """The rows that a slice that has fewer is brought to."""
    most_rows: int = Field(default=100, ge=1, le=10_000)
    """The most inputs that are written for a slice."""
    model: Name | None = None
    """Who writes and answers; null for the model that the source names, or the teacher of the distillation."""
    instruction: Text | None = None
    """What else the writer is told, such as how inputs of a slice differ."""
    input_criteria: Annotated[list[Criterion], Field(min_length=1, max_length=MOST_CRITERIA)] | None = None
    """By what a written input is graded: `sample.output_text`, beside `item.slice` and `item.examples`. Null has the
    writer judge whether it is a plausible input of its slice."""
    similarity: float = Field(default=0.85, ge=0.7, le=1)
    """How alike an input may be to a test row, or to another input, before it is refused."""
    temperature: float = Field(default=1.0, ge=0, le=2)
    """At which inputs are written; they are answered as the examples of the slice were."""

    @model_validator(mode="after")
    def _grades_by_something(self) -> Self:
        if not self.is_judged:
            raise ValueError("give eval_id or criteria: what the answers are graded by")
        if self.by.startswith("item."):
            raise ValueError("a slice of written inputs is a metadata key, or 'answer'")
        return self


class Consensus(Graded):
    """Asks the teacher again, and drops an answer that it does not give again often enough."""

    rule: Literal["consensus"] = "consensus"
    times: int = Field(default=3, ge=1, le=10)
    """How often each row is asked again. Ask with a temperature above 0, or the answers say little."""
    sample: int | None = Field(default=None, ge=1, lt=1 << 31)
    """How many rows are asked again, drawn by lot; null for all. The others stay."""
    least_agreement: float = Field(default=0.6, ge=0, le=1)
    """The least share of the new answers that agree with the stored one. They agree where they are the same answer; or,
    with `eval_id` or `criteria`, where these pass: there `item.reference` is the stored answer."""
    model: Name | None = None
    """Who is asked; null for the model that the source names, or the teacher of the distillation."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """In place of the one of the stored request."""
    unanswered: Literal["drop", "keep"] = "keep"
    """What becomes of a row for which the teacher was asked again in vain."""
