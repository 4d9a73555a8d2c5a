"""A trainer that is away pauses its distillation, until the template's ProviderPatience is over.

In: a message whose trainer is away. Out: the same message anew, the first time at once, then later and later.
"""

from __future__ import annotations

from typing import Any

from distillations.distillation import Distillation
from foundation.events import CancelJob, StartJob
from foundation.ids import now
from foundation.later import Pause, put_back
from tuning.trainers import TrainerAway, TrainerRefused

_LEAST_S = 15


def come_again(message: StartJob | CancelJob, since: int, **changes: Any) -> None:
    """Put a message back whose trainer is away since then, in seconds since the epoch."""
    put_back(message, _wait_s(message, since), **changes)


def _wait_s(message: StartJob | CancelJob, since: int) -> int:
    return max(_LEAST_S, now() - since) if message.put_back else 0


def show(distillation: Distillation, since: int, error: TrainerAway | TrainerRefused) -> None:
    """Have the distillation say since when it waits for its trainer, and why, unless it went on meanwhile."""
    paused = Pause(since=since, reason=str(error))
    distillation.change({"paused": paused.model_dump()}, where={"status": distillation.status})


def go_on(distillation: Distillation) -> None:
    """The trainer answers again."""
    if distillation.paused:
        distillation.change({"paused": None}, where={"status": distillation.status})
