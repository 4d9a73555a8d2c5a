"""Trained models that lost their verdict: when that was.

A model has lost if its verdict says that it is worse than its baseline or no better. An open question is no loss.
"""

from __future__ import annotations

from distillations.distillation import Distillation
from distillations.verdict import Verdict
from providers.model_version import ModelVersion

_LOST = frozenset({"worse", "no_better"})


def lost_at(version: ModelVersion) -> int | None:
    """When this model lost its verdict, in seconds since the epoch; None if it did not, or has none."""
    distillation = Distillation.find(version.distillation_id) if version.distillation_id else None
    verdict = Verdict.find(distillation.verdict_id) if distillation and distillation.model == version.id else None
    return verdict.created_at if verdict and verdict.outcome in _LOST else None
