"""A calibration as it is shown: what was held against what, and the judge card."""

from __future__ import annotations

from typing import Literal

from evals.judge_cards import JudgeCard, Share
from foundation.document import Document


class LinkedItem(Document):
    """An output item that the judge got wrong."""

    id: str
    url: str
    """Where it is retrieved."""


class LinkedMistakes(Share):
    """Of the rows that people let pass, or fail, those on which the judge found the opposite."""

    items: list[LinkedItem]
    """At most 200."""


class LinkedJudgeCard(JudgeCard):
    """A judge card with links to the rows that the judge got wrong."""

    false_pass: LinkedMistakes  # type: ignore[assignment]
    """Of the rows that people let fail, those that the judge passed."""
    false_fail: LinkedMistakes  # type: ignore[assignment]
    """Of the rows that people let pass, those that the judge failed."""


class CalibrationDocument(Document):
    """A criterion held against people's labels."""

    id: str
    object: Literal["eval.calibration"] = "eval.calibration"
    created_at: int
    """Seconds UTC."""
    eval_id: str
    run_id: str
    """The run whose rows were labelled."""
    name: str
    criterion: str
    """The criterion's name."""
    criterion_id: str
    part: str | None = None
    """The grader within a `multi` criterion."""
    model: str | None = None
    """The judge's model; null for a criterion that asks none."""
    rubric: str
    """A hash of what the judge is asked: another rubric is another judge."""
    compared: Literal["label", "passed"]
    """Whether labels were compared, or whether a row passes."""
    status: Literal["in_progress", "completed", "failed"]
    card: LinkedJudgeCard | None = None
    """Null until the run is completed."""
    error: dict[str, str] | None = None
    metadata: dict[str, str] | None = None
    stale: bool
    """Whether the criterion has changed since, so that the card says nothing of it any more."""
