"""Pause a distillation while its trainer is away, for at most the template's ProviderPatience (hours).

In: a message whose trainer is away. Out: the same message, put back: the first time at once, then with growing waits.
"""

from __future__ import annotations

from typing import Any

from distillations.distillation import Distillation
from foundation.events import CancelJob, RetireModel, StartJob
from foundation.ids import now
from foundation.later import Pause, put_back
from tuning.trainers import TrainerAway, TrainerRefused

_LEAST_S = 15


def come_again(message: StartJob | CancelJob | RetireModel, since: int, **changes: Any) -> None:
    """Put back a message whose trainer has been away since `since`, in seconds since the epoch."""
    put_back(message, _wait_s(message, since), **changes)


def _wait_s(message: StartJob | CancelJob | RetireModel, since: int) -> int:
    return max(_LEAST_S, now() - since) if message.put_back else 0


def show(distillation: Distillation, since: int, error: TrainerAway | TrainerRefused) -> None:
    """Record in the distillation since when it waits for its trainer, and why, unless it has gone on meanwhile."""
    paused = Pause(since=since, reason=str(error))
    distillation.change({"paused": paused.model_dump()}, where={"status": distillation.status})


def go_on(distillation: Distillation) -> None:
    """End the distillation's pause, because the trainer answers again."""
    if distillation.paused:
        distillation.change({"paused": None}, where={"status": distillation.status})
