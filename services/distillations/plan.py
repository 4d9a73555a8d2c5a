"""The plan of a distillation: what teacher and baseline measured, and what speaks against spending money."""

from __future__ import annotations

from pydantic import Field

from distillations.contender import Prompted
from distillations.model_score import ModelScore
from evals.run import Answers
from foundation.document import Document
from providers.terms import TeacherTerms


class Plan(Document):
    """The gate's figures. Without `reasons` the training starts; with them it waits until somebody approves it."""

    teacher: ModelScore
    baseline: ModelScore
    teacher_answers: Answers
    """Whether the stored answers of the teacher were graded, or it was asked anew."""
    teacher_terms: TeacherTerms | None = None
    """Whether the terms of the teacher's provider let its answers train another model, as the stack's owner noted."""
    rows: int
    """The test rows that both runs graded."""
    rows_needed: int | None
    """How many rows show `expected_gain` with the gate's power; null where no number of rows does."""
    discordance: float
    """The share of the rows that one of both passed and the other did not, from 0 to 1."""
    expected_gain: float
    """The gain over the baseline that is planned for, as a share of the rows."""
    contenders: list[Prompted] = Field(default_factory=list)
    """The models that were only prompted, in the order of the distillation."""
    approved_at: int | None = None
    """When somebody approved a blocked plan, in seconds since the epoch."""
    estimated_cost_usd: float | None = None
    """The estimate for the training in US dollars; null without a budget or without a price."""
    warnings: list[str] = Field(default_factory=list)
    """Criteria that gave one answer on all rows of both models, and terms that nobody has noted, one sentence each."""
    reasons: list[str]
    """Why the distillation is blocked, one sentence each."""
