"""Two groups of rows beside each other: production and what trains, or earlier and later rows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from distillations.report.fields import ValueCount
from foundation.document import Document
from stats import Interval


class ShareChange(Document):
    """The share of one value in both groups. The value is as in the field's list, or a range for amounts."""

    value: str
    kind: Literal["value", "long", "none"] = "value"
    share: float
    """In the first group, from 0 to 1: production, or the earlier half."""
    other_share: float
    """In the other one: what trains, or the later half."""
    interval: Interval | None
    """Newcombe's 95% interval of `other_share - share`; null where rows stand in both groups or are repeated."""


class FieldComparison(Document):
    """How far two groups are apart in one field, beside what chance alone would bring them apart."""

    field: str
    kind: Literal["labels", "amounts", "topics"]
    rows: int
    """In the first group."""
    other_rows: int
    psi: float
    """The population stability index: 0 for equal shares; over 0.1 is noticeable, over 0.25 large."""
    psi_noise: float
    """What it is on average for two groups of these sizes from one population."""
    psi_noise_95: float
    """What it stays below in 19 of 20 such pairs."""
    jensen_shannon: float
    """The Jensen-Shannon divergence in bits, from 0 to 1."""
    jensen_shannon_noise_95: float
    p_value: float
    """Pearson's test of homogeneity, with the exact moments of its statistic."""
    adjusted_p_value: float
    """Holm's p over all fields that were compared."""
    differs: bool
    """Whether this is more than noise, and noticeable: the adjusted p is below 0.01, and the index over 0.1."""
    changes: list[ShareChange] = Field(default_factory=list)
    """The values that contribute most, the largest first; at most ten, and none where the field does not differ."""


class Drift(Document):
    """What changed over the time of what was selected."""

    split_at: int
    """Where the later half of the rows begins, in seconds since the epoch."""
    fields: list[FieldComparison]
    ended: dict[str, list[ValueCount]] = Field(default_factory=dict)
    """By field that drifts, the values that were there early and then no more, with when they were seen last."""
    began: dict[str, list[ValueCount]] = Field(default_factory=dict)
    """By field that drifts, the values that came up later, with when they were seen first."""
