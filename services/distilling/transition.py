"""A transition of a distillation: the status that is due, what changes with it, and what is sent after it."""

from __future__ import annotations

from typing import Any, NamedTuple

from distillations.distillation import Distillation, Status
from distillations.failure import Failure
from foundation.events import DistillationFailed, Work


class Transition(NamedTuple):
    """The next status, what changes with it, and what is sent after it."""

    to: Status
    changes: dict[str, Any]
    messages: list[Work]


def failed(distillation: Distillation, code: str, message: str) -> Transition:
    """The end of a distillation without a verdict."""
    changes = {"error": Failure(code=code, message=message)}
    return Transition("failed", changes, [DistillationFailed(distillation_id=distillation.id)])


def eval_deleted(distillation: Distillation) -> Transition:
    return failed(distillation, "eval_deleted", f"The eval {distillation.eval_id} was deleted.")
