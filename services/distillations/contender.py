"""Contenders: further models that are only prompted, beside the one that is trained.

Where a cheap model of today does as well by prompting alone, a training is money lost. Contenders are measured on the
same rows before money is spent, so the gate can say so, and once more beside the distilled model, so the verdict can.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from distillations.model_score import ModelScore
from evals.call_costs import CallFigures
from evals.figures import Finding
from evals.run import Run
from foundation.bounds import Name
from foundation.document import Document
from stats import Interval

_MOST = 8
NO_ROW = "None of its rows could be graded."


def _named_once(models: list[str]) -> list[str]:
    if len(set(models)) < len(models):
        raise ValueError("name each model once")
    return models


type Contenders = Annotated[
    list[Annotated[Name, Field(min_length=1)]], Field(max_length=_MOST), AfterValidator(_named_once)
]
"""The models that are only prompted, as a caller names them."""


class Prompted(Document):
    """A contender beside teacher and baseline, before training. Gains are shares of the rows."""

    model: str
    run_id: str
    score: ModelScore | None
    """On the rows that teacher, baseline and contender graded; null where its run gave no result."""
    gain: float | None
    """Its score minus the baseline's on these rows."""
    cost_ratio: float | None
    """What a call costs as a share of a call of the teacher; null where a price or the usage is not known."""
    error: str | None = None
    """Why there is no result."""


class AgainstContender(Document):
    """The distilled model beside a contender, on the rows that both graded. Gains are shares of these rows."""

    model: str
    run_id: str
    score: ModelScore | None
    """The contender's; null where its run gave no result."""
    gain: float | None
    """The distilled model's score minus the contender's."""
    interval: Interval | None
    """The 95% interval of `gain`; null without rows or where the groups are too few for one."""
    p_value: float | None
    """Of the exact McNemar test, two-sided; of Durkalski's for rows in groups."""
    finding: Finding | None
    """What the distilled model is beside it: `better`, `worse`, or `noise` where neither is certain."""
    does_as_well: bool
    """Whether, with 95% confidence, the contender is less than the gate's `margin` below the distilled model."""
    cost_ratio: float | None
    """What a call costs as a share of a call of the teacher; null where a price or the usage is not known."""
    latency_ms: float | None
    """The mean milliseconds of a call; null where none was measured."""
    calls: CallFigures | None = None
    """What a call costs and how long it takes; null where its run is gone."""
    error: str | None = None
    """Why there is no result."""


def why_no_result(run: Run | None) -> str:
    """Why a contender's run has nothing to compare: it was deleted, or did not complete."""
    if run is None:
        return "Its run was deleted."
    return (run.error or {}).get("message") or f"Its run ended as {run.status}."
