"""The parts of a verdict that stand beside its decision: graders, calls, money, the training set, the rows' history."""

from __future__ import annotations

from pydantic import Field

from distillations.report.document import CountedTraffic
from evals.figures import Finding, PassRate
from foundation.document import Document
from stats import Interval


class RowsNeeded(Document):
    """How many test rows a claim takes, with 80% power unless the gate says otherwise."""

    planned: int | None = None
    """At the gain that was expected before training; null where no number of rows shows it."""
    observed: int | None = None
    """At the gain that was observed; null where that is not above the gate's `min_gain`."""


class SliceGain(Document):
    """The gain over the baseline on the rows that share a tag."""

    tag: str
    """`key=value`."""
    rows: int
    gain: float
    """Share of these rows, from -1 to 1."""
    interval: Interval | None
    """The 95% interval of `gain`; null where the groups are too few for one."""
    adjusted_p_value: float | None = None
    """Holm's over all slices, by which the slice is called worse; null in verdicts of before it was kept."""


class RareSliceGain(SliceGain):
    """The gain on a slice that few rows trained."""

    train_rows: int
    """The rows of it that trained the model."""


class GraderPart(Document):
    """How one grader saw the models, on the rows of the verdict: what it adds to the gain, or takes from it."""

    testing_criteria: str
    """The criterion's id."""
    name: str
    teacher: PassRate
    baseline: PassRate
    distilled: PassRate
    won: int
    """Rows that it passed for the distilled model and failed for the baseline."""
    lost: int
    """Rows that it failed for the distilled model and passed for the baseline."""
    gain: float
    """(won - lost) / rows."""
    interval: Interval | None
    """The 95% interval of `gain`; null where the groups are too few for one."""
    adjusted_p_value: float
    """Holm's over all graders of the eval."""
    finding: Finding
    """What the distilled model is beside the baseline by this grader alone, by the adjusted p and the interval."""


class Saving(Document):
    """What the distilled model saves against the teacher, and when it has paid for itself.

    A figure is null where one that it rests on is not known.
    """

    usd_per_1000: float | None
    """What a thousand calls cost less than the teacher's, in US dollars; negative where they cost more."""
    training_usd: float | None
    """What all its trainings have cost."""
    evals_usd: float | None
    """What its runs have cost, judges among it."""
    idle_usd_per_month: float | None
    """What 730 hours of it cost while nobody asks; of one that goes to sleep, as if it never did."""
    requests_per_month: int | None
    """The captured volume: the rate, over 30 days, of the traffic that the training set was held against. Null where
    less than a day of it is known."""
    counted: CountedTraffic | None = None
    """What that rate is counted from. An estimate, the rougher the less time they span."""
    usd_per_month: float | None
    """The saving at that volume, less what the model costs while nobody asks."""
    break_even_requests: int | None
    """After so many requests the saving has paid for trainings and evals, and for the months that they take at the
    captured volume. Null where it never does."""
    break_even_months: float | None
    """The same in months at the captured volume."""


class TrainingSetWarnings(Document):
    """What speaks against the training set, from its card and its report."""

    warnings: list[str]
    """The first sentences of its report: skew, drift, contradictions and what else to look at."""
    leaks: dict[str, int] = Field(default_factory=dict)
    """By rule, how many completions were kept out since they leak test rows."""
    contradicted: int
    """The completions, as far as the card names them, whose answer differs from one that trains on the same input."""
    skewed_fields: list[str] = Field(default_factory=list)
    """The fields in which what trains does not look like recent traffic, the most different first."""


class Reuse(Document):
    """What these test rows have been used for before, and what stays of the outcome if that is corrected for.

    With so many looks at the same rows each gets an equal share of the 5% (Bonferroni): p times their number, the
    interval at 1 - 0.05 / looks. That holds if no model was made with the rows' earlier verdicts in mind.
    """

    looks: int
    """Verdicts of this eval on these rows, this one among them."""
    sweeps: int
    """Those of them whose model was the best of several attempts."""
    adjusted_p_value: float
    interval: Interval | None
    """Of the gain, at the corrected level; null where the groups are too few."""
    outcome_holds: bool
    """Whether the rules give the same outcome with the corrected figures."""
