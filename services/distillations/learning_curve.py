"""A learning curve: a cheap student trained on parts of a dataset, and what twice as many examples would bring.

In: a dataset with a student and an eval. Out: a point for an eighth, a quarter, half and all of the examples, each
graded on the dataset's validation rows, and the forecast. `distilling` alone changes a curve.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from distillations.failure import Failure
from distillations.model_score import ModelScore
from foundation import table
from foundation.bounds import CutText
from foundation.document import Document
from foundation.ids import derived_id
from foundation.records import Record
from stats import Interval

SHARES = (0.125, 0.25, 0.5, 1.0)
"""The parts of the examples that are trained on. Each part is in the next one."""
TIMES = 2.0
"""How many times the examples the forecast is about."""
DONE = frozenset({"completed", "failed"})
OPEN_CURVES = "OPENCURVES"
"""The partition of the list of learning curves that may be open. The sweep takes those off that have ended."""


class LearningPoint(Document):
    """A student that learnt from a part of the examples."""

    share: float
    """Of the examples, from 0 to 1."""
    examples: int
    """How many that is, each counted once."""
    job_id: str
    model: CutText | None = None
    """The trained model; null until it answers, and where there is none."""
    run_id: str | None = None
    """Its run over the validation rows."""
    score: ModelScore | None = None
    """On the validation rows that all points graded; null until then."""
    cost_usd: float | None = None
    """What its training has cost; null where nobody knows."""
    error: CutText | None = None
    """Why there is no model, or no score."""


class LearningForecast(Document):
    """What more examples would bring, read from an inverse power law: error(m) = floor + scale * (m / n)^-rate."""

    times: float
    """How many times the examples."""
    gain: float
    """Share of the rows, 0.01 being a point."""
    interval: Interval
    """The 95% interval of `gain`."""
    floor: float
    """The error that no number of examples takes away."""
    scale: float
    """The error above the floor with all examples of the dataset."""
    rate: float
    """How fast that falls, from 0.05 to 1."""


class LearningCurve(Record):
    """How a student's score grows with the examples of a dataset, as it was asked for, and what has become of it."""

    KIND: ClassVar[str] = "LEARNINGCURVE"
    NAME: ClassVar[str] = "learning curve"

    model_config = ConfigDict(use_attribute_docstrings=True)

    object: Literal["dataset.learning_curve"] = "dataset.learning_curve"
    status: Literal["queued", "training", "grading", "completed", "failed"] = "queued"
    dataset_id: str
    eval_id: str
    student: str
    trainer: str
    hyperparameters: dict[str, Any] = Field(default_factory=dict)
    """For the trainer."""
    seed: int
    """Decides which examples are in the smaller parts."""
    max_cost_usd: float | None = None
    """What all trainings may come to together, in US dollars."""
    estimated_cost_usd: float | None = None
    """What they were thought to come to; null where no price is known."""
    points: list[LearningPoint] = Field(default_factory=list)
    """From the smallest part on."""
    forecast: LearningForecast | None = None
    """Null until it is completed, and where fewer than three points have a score."""
    sentence: str = ""
    """The forecast in one line for people."""
    error: Failure | None = None

    def parent(self) -> str:
        return self.dataset_id

    def create(self) -> bool:
        """Write it, its entry in the list of open ones first: none is open without it."""
        table.put({"pk": OPEN_CURVES, "sk": self.id})
        return super().create()

    def job_id(self, number: int) -> str:
        return derived_id("ftjob-", self.id, str(number))

    def file_id(self, name: str) -> str:
        return derived_id("file-", self.id, name)

    def run_id(self, number: int) -> str:
        return derived_id("evalrun_", self.id, str(number))

    def key(self, name: str) -> str:
        """Where a file of the curve lies: with its dataset, whose deletion takes it along."""
        return f"datasets/{self.dataset_id}/curves/{self.id}/{name}"


def sentence_of(forecast: LearningForecast | None) -> str:
    """What the curve says of more examples."""
    if forecast is None:
        return "Too few points have a score for a forecast."
    low, high = (100 * end for end in forecast.interval)
    times = "twice" if forecast.times == TIMES else f"{forecast.times:g} times"
    return f"{times} the data: {100 * forecast.gain:+.1f} points, {low:+.1f} to {high:+.1f}"
