"""A verdict: the decision about a distillation, with its evidence."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from distillations.cascade import CascadePart
from distillations.contender import AgainstContender
from distillations.gate import Gate
from distillations.model_score import ModelScore
from distillations.roles import Role
from distillations.verdict_parts import (
    GraderPart,
    RareSliceGain,
    Reuse,
    RowsNeeded,
    Saving,
    SliceGain,
    TrainingSetWarnings,
)
from evals.calibrations import JudgeReliability
from evals.call_costs import CallFigures
from evals.run import Answers
from foundation.records import Record
from stats import Interval

type Decision = Literal["beats_baseline", "no_better", "worse", "inconclusive"]


class Verdict(Record):
    """Whether the distilled model beats its baseline, and what that rests on.

    Teacher, baseline and distilled model are compared on the same rows, row by row; gains are shares of these rows,
    0.12 being twelve points. docs/explanation/statistics.md has the rules and the sources of the formulas.
    """

    KIND: ClassVar[str] = "VERDICT"
    NAME: ClassVar[str] = "verdict"

    model_config = ConfigDict(use_attribute_docstrings=True)

    object: Literal["verdict"] = "verdict"
    schema_version: Literal["1"] = "1"
    """Of docs/reference/verdict.schema.json. A new field leaves it; a field that goes, or means something else, does
    not."""
    distillation_id: str
    eval_id: str
    outcome: Decision
    sentence: str = ""
    """The verdict in one line for people, as `telling.sentence` writes it."""
    notified_at: int | None = None
    """When it was handed to the channels, in seconds since the epoch; the distillation completes after that."""
    rows: int
    """The rows that all three runs graded."""
    dropped: int
    """The rows that an error of a provider or a grader took out."""
    scores: dict[Role, ModelScore]
    gain: float
    """The distilled model's score minus the baseline's; 0 without rows."""
    interval: Interval | None
    """The 95% interval of `gain`: Tango's (1998), or of the groups; null where the groups are too few."""
    p_value: float
    """Of the exact McNemar test, two-sided."""
    won: int
    """Rows that the distilled model passed and the baseline did not."""
    lost: int
    """Rows that the baseline passed and the distilled model did not."""
    won_items: list[str]
    """Output items of the distilled model's run, the first 50 of the rows won."""
    lost_items: list[str]
    gap_closed: float | None
    """The gain as a share of the gap between teacher and baseline; null where that gap is not certain."""
    gap_closed_interval: Interval | None
    as_good_as_teacher: bool
    """Whether `noninferiority_bound` lies above minus the gate's `margin`."""
    against_teacher: Interval | None
    """The 95% interval of the distilled model's score minus the teacher's."""
    noninferiority_bound: float | None = None
    """With 95% confidence that difference is at least this: the lower end of its 90% interval, since the claim has one
    side. Null where the groups are too few for an interval."""
    contenders: list[AgainstContender] = Field(default_factory=list)
    """The distilled model beside each model that was only prompted."""
    beats_contenders: bool | None = None
    """Whether the distilled model is `better` than each of them; null without contenders. As each must be beaten, no
    correction for their number is due (Berger 1982)."""
    rows_needed: RowsNeeded
    slices_worse: list[SliceGain]
    """The slices on which the distilled model is worse than the baseline, by Holm's p below 0.05: the 50 largest."""
    slices_rare: list[RareSliceGain] = Field(default_factory=list)
    """The slices that few rows trained, by the training set's report, with the gain on their test rows, whether or not
    that proves anything: the 50 with the fewest training rows."""
    graders: list[GraderPart] = Field(default_factory=list)
    """Each grader's part in it, in the eval's order."""
    gate: Gate
    """The gate that the rules were applied with."""
    seed: int
    """Of the bootstrap draws."""
    cost_ratio: dict[Role, float | None]
    """What a call costs as a share of a call of the teacher; null where a price or the usage is not known."""
    prompt_tokens: dict[Role, float | None] = Field(default_factory=dict)
    """The mean tokens of what a model was asked; null where a provider does not count them."""
    prompt_tokens_saved: float | None = None
    """By how many tokens a request to the distilled model, which the recipe's step `prompt` has asked with a prompt of
    its own, is shorter than one to the baseline; null without that step, or where tokens are not known."""
    latency_ms: dict[Role, float | None]
    """The mean milliseconds of a call; null where none was measured."""
    latency_from: dict[Role, Answers] = Field(default_factory=dict)
    """Where a latency was measured: `stored` is the application's own traffic, `sampled` are the eval's calls, which
    come many at once. One of each kind cannot be compared."""
    calls: dict[Role, CallFigures] = Field(default_factory=dict)
    """What a call of each model costs and how long it takes."""
    saving: Saving | None = None
    """What the distilled model saves against the teacher; null in verdicts of before it was reckoned."""
    cascade: CascadePart | None = None
    """What a cascade would do, in which the distilled model answers what it is sure of; null in verdicts of before it
    was reckoned."""
    prices_as_of: str
    """The date of the price list."""
    runs: dict[Role, str]
    """The id of each role's run."""
    dataset_id: str | None
    training_set: TrainingSetWarnings | None = None
    """What speaks against the training set; null where its card is gone."""
    job_id: str | None
    attempts_tried: int = 1
    """How many models the distilled one was chosen among, on the validation rows. The rows of this verdict took no part
    in the choice, so its interval needs no correction for their number."""
    earlier_verdicts: int
    """How many other verdicts this eval has already given on the same inputs."""
    reuse: Reuse | None = None
    """What follows from these; null in verdicts of before it was reckoned."""
    judges: dict[str, JudgeReliability | None] = Field(default_factory=dict)
    """By judge of the eval, the key figures of its newest calibration; null where it has none."""
