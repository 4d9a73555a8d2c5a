"""How the rows of a training set are spread over labels and amounts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from foundation.document import Document


class ValueCount(Document):
    """How often one value of a field was there."""

    value: str | None
    """Null for what is no value: see `kind`."""
    kind: Literal["value", "long", "none"] = "value"
    """`long` for all texts of more than 64 characters together, `none` for rows that have no value."""
    production: int
    """In the recent traffic."""
    selected: int
    train_rows: int
    train_lines: int
    """In the training file, where rows may be repeated."""
    validation_rows: int
    first_at: int | None = None
    """When it was there first among what was selected, in seconds since the epoch; null where it was not."""
    last_at: int | None = None
    """When it was there last."""


class LabelField(Document):
    """A field of labels: a metadata key (`metadata.…`), a path (`item.…`), the answer, tools, model, time of day."""

    field: str
    closed: bool
    """Whether its values are few and come again, so that they are slices. Those of others are not listed."""
    distinct: int
    """How many values it has; an estimate over 200."""
    distinct_is_estimate: bool = False
    entropy_bits: float | None
    """Shannon's entropy of the training rows: 0 where all have one value. Null where the field is not closed."""
    values: list[ValueCount] = Field(default_factory=list)
    """The one with most selected rows first; for times in their order."""


class Bin(Document):
    """The rows whose amount is at least `low` and below `high`."""

    low: float
    high: float
    production: int
    selected: int
    train_lines: int


class Quantiles(Document):
    """The amounts that a twentieth, a quarter, half, three quarters and 19 of 20 rows stay below, to 5%."""

    p5: float
    p25: float
    median: float
    p75: float
    p95: float


class AmountField(Document):
    """A field of numbers: tokens or characters of question and answer, messages, tools offered."""

    field: str
    rows: int
    """The training lines that have it."""
    train: Quantiles | None
    """Of the training lines; null without any."""
    production: Quantiles | None
    bins: list[Bin]


class Period(Document):
    """Some days."""

    begins_at: int
    """Its first second, since the epoch, UTC."""
    ends_at: int
    """The first second after it."""
    production: int
    selected: int
    train_lines: int


class Topic(Document):
    """Questions with the same words, of a sample."""

    words: list[str]
    """The most telling first; empty for questions that have none of the words that tell topics apart."""
    production: int
    selected: int
    train_rows: int
    train_lines: int
