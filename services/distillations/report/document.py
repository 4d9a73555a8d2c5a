"""The report of a training set: what a careful person would hand over with it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from distillations.learning_curve import LearningCurve
from distillations.report.comparison import Drift, FieldComparison
from distillations.report.fields import AmountField, LabelField, Period, Topic
from distillations.report.steps import RuleReport
from distillations.report.suitability import Suitability
from foundation.document import Document
from providers.terms import TeacherTerms

REPORT = "report.json"
"""The file of a dataset that holds its report."""


class CountedTraffic(Document):
    """The newest completions, counted back until they span a day, or to 200,000 if those span an hour."""

    rows: int
    seconds: int
    """From the oldest of them to the newest."""


class ProductionTraffic(Document):
    """The traffic that what trains is held against."""

    rows: int
    """How many completions; at most 5,000, the newest."""
    begins_at: int | None
    """The time of the oldest, in seconds since the epoch; null without any."""
    ends_at: int | None
    in_training: int
    """Those among them that train."""
    counted: CountedTraffic | None = None
    """How fast it comes, where `rows` do not tell: they came within less than a day, or are as many of each of several
    filters. Null where all there is spans less than a day, and where a filter is by words."""

    @property
    def span_s(self) -> int:
        """The seconds from the oldest to the newest; 0 without any."""
        return (self.ends_at or 0) - (self.begins_at or 0)


class RareSlice(Document):
    """A value of a closed field with few training rows."""

    field: str
    value: str
    train_rows: int
    train_lines: int
    production_share: float | None
    """Its share of production, from 0 to 1; null without production."""
    even_share_rows: float
    """The training rows that each value would have if all had the same."""


class Imbalance(Document):
    """How uneven the values of a closed field are among the training rows."""

    field: str
    values: int
    largest: str
    largest_rows: int
    smallest: str
    smallest_rows: int
    evenness: float
    """The entropy over the one of even shares, from 0 to 1."""


class TrainerEstimate(Document):
    """What a training would take at one trainer, before anybody asks it."""

    trainer: str
    epochs: int | None
    """How often it goes through the file, all trainings together, as asked or by its own choice; null where nobody
    knows."""
    tokens: int | None
    """The tokens that are trained on, all epochs together; null with `epochs`."""
    cost_usd: float | None
    """By the price list; null where no price is known, as for a student that is not chosen yet."""
    minutes: float | None = None
    """Null: trainers tell how long a training takes once it has begun."""


class DatasetReport(Document):
    """What a training set holds, how it came about, and where it does not look like production.

    Counts are exact, over all rows. Topics are of a sample of 1,000 questions of each side, and production is the
    newest 5,000 completions.
    """

    object: Literal["dataset.report"] = "dataset.report"
    id: str
    """The dataset's id."""
    created_at: int
    """Seconds since the epoch."""
    selected: int
    rows: int
    train_rows: int
    train_lines: int
    validation_rows: int
    train_tokens: int
    """The tokens of the training file: as the providers counted them, else by letters."""
    warnings: list[str]
    """What to look at before training, in plain words, the weightiest first."""
    steps: list[RuleReport]
    labels: list[LabelField]
    amounts: list[AmountField]
    periods: list[Period]
    topics: list[Topic]
    """Empty for fewer than 50 questions."""
    production: ProductionTraffic | None
    """Null where there is no traffic to hold it against."""
    skew: list[FieldComparison]
    """Production beside what trains, field by field, the most different first."""
    drift: Drift | None
    """Null for fewer than 20 completions."""
    imbalances: list[Imbalance]
    rare_slices: list[RareSlice]
    estimates: list[TrainerEstimate]
    suitability: Suitability | None
    """Null where nothing trains."""
    terms: list[TeacherTerms] = Field(default_factory=list)
    """Whether the terms of the teachers' providers let their answers train another model."""
    learning_curve: LearningCurve | None = None
    """The newest that is complete, which says what more examples would bring; null where none was asked for."""
