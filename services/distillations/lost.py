"""Trained models that lost: when that was.

A model has lost if its verdict says that it is worse than its baseline or no better, or if another attempt of its
distillation was chosen. An open question is no loss.
"""

from __future__ import annotations

from distillations.distillation import Distillation
from distillations.verdict import Verdict
from providers.model_version import ModelVersion

_LOST = frozenset({"worse", "no_better"})


def lost_at(version: ModelVersion) -> int | None:
    """When this model lost, in seconds since the epoch; None if it did not, or nothing is decided about it."""
    distillation = Distillation.find(version.distillation_id) if version.distillation_id else None
    if distillation is None or distillation.model is None:
        return None
    if distillation.model != version.id:
        tried = any(attempt.model == version.id for attempt in distillation.attempts)
        return distillation.came_to("evaluating") if tried else None
    verdict = Verdict.find(distillation.verdict_id)
    return verdict.created_at if verdict and verdict.outcome in _LOST else None
