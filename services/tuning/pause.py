"""Wait while a trainer is away, for at most the template's ProviderPatience (hours), and show that.

In: a message whose trainer is away. Out: the same message, put back: the first time at once, then with growing waits.
That it waits is shown in the job, and in the distillation that waits for the job. Each of several jobs of one waits by
itself; the distillation shows what the latest said.
"""

from __future__ import annotations

from typing import Any

from distillations.distillation import Distillation
from distillations.job import Job
from foundation.events import CancelJob, RetireModel, StartJob
from foundation.ids import now
from foundation.job_messages import PauseJob
from foundation.later import Pause, put_back
from tuning.trainers import TrainerAway, TrainerRefused

_LEAST_S = 15
_WAITING = frozenset({"assembling", "training"})
"""In which states a distillation waits for its job."""

type Asking = StartJob | CancelJob | PauseJob | RetireModel


def come_again(message: Asking, since: int, **changes: Any) -> None:
    """Put back a message whose trainer has been away since `since`, in seconds since the epoch."""
    put_back(message, _wait_s(message, since), **changes)


def _wait_s(message: Asking, since: int) -> int:
    return max(_LEAST_S, now() - since) if message.put_back else 0


def away_since(job: Job) -> int | None:
    """Since when the job has waited for its trainer, in seconds since the epoch; None where it does not wait."""
    away = Job.load(job.id).away
    return away.since if away else None


def show(job: Job, since: int, error: TrainerAway | TrainerRefused) -> None:
    """Record since when the job waits for its trainer, and why, unless it has gone on meanwhile."""
    paused = Pause(since=since, reason=str(error)).model_dump()
    job.change({"away": paused}, where={"status": job.status})
    distillation = _distillation(job)
    if distillation and distillation.status in _WAITING:
        distillation.change({"paused": paused}, where={"status": distillation.status})


def go_on(job: Job) -> None:
    """End the wait, because the trainer answers again."""
    job.change({"away": None})
    distillation = _distillation(job)
    if distillation and distillation.paused and distillation.status in _WAITING:
        distillation.change({"paused": None}, where={"status": distillation.status})


def _distillation(job: Job) -> Distillation | None:
    """The distillation that waits for the job."""
    return Distillation.find(job.distillation_id) if job.distillation_id else None
