"""Trained models that lost: when that was, and the notice that is given before one is retired.

A model has lost if its verdict says that it is worse than its baseline or no better, or if another attempt of its
distillation was chosen. An open question is no loss. A notice holds as long as nothing changes: one that was kept
meanwhile, or other days, need another one.
"""

from __future__ import annotations

from typing import NamedTuple

from distillations.distillation import Distillation
from distillations.verdict import Verdict
from foundation import table
from providers.model_version import ModelVersion

_LOST = frozenset({"worse", "no_better"})
_NOTICES = "RETIREMENT_NOTICE"


class Notice(NamedTuple):
    """That a model is to be retired so many days after it lost, and since when that is known."""

    days: int
    since: int
    """Seconds since the epoch."""


def notices() -> dict[str, Notice]:
    """The notices that hold, by the model."""
    return {row["sk"]: Notice(int(row["days"]), int(row["since"])) for row in table.query(_NOTICES)}


def give_notice(model: str, notice: Notice) -> None:
    table.put({"pk": _NOTICES, "sk": model, **notice._asdict()})


def take_back_notice(model: str) -> None:
    table.delete(_NOTICES, model)


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
