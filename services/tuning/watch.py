"""Follow the open jobs: detect what changed, record it, and have the distillation go on.

In: a tick of the clock. Out: job rows and events, model versions, and an `AdvanceDistillation` for each job that ended.
A job leaves the list after that message is sent and its training files are deleted at the trainer. A job that raises is
tried again at the next tick and holds no other up; the first error is raised at the end, for the alarm. With no job
open, the clock is stopped.
"""

from __future__ import annotations

from typing import Any

from distillations.job import Job
from foundation import aws, bus, table
from foundation.consumer import logger
from foundation.events import AdvanceDistillation
from foundation.later import patience_over
from foundation.settings import settings
from foundation.table import Row
from tuning.follow import follow
from tuning.jobs import OPEN, forget_files
from tuning.trainers import Trainer, trainer_named


def watch(context: Any, trainer: Trainer | None = None) -> None:
    """Look at every open job once. `context` is Lambda's."""
    errors: list[Exception] = []
    for row in table.query(OPEN):
        try:
            _look_at(row, context, trainer)
        except Exception as error:  # noqa: BLE001 - the others are still to be looked at
            logger().exception("job not looked at", extra={"job_id": row["sk"]})
            errors.append(error)
    _stop_clock()
    if errors:
        raise errors[0]


def _look_at(row: Row, context: Any, trainer: Trainer | None) -> None:
    """Look at one open job; an entry whose job is gone leaves the list."""
    job = Job.find(row["sk"])
    if job is None:
        table.delete(OPEN, row["sk"])
        return
    at = trainer or trainer_named(job.trainer)
    if job.provider_job_id and not job.ended:
        job = follow(job, row, at, context)
    if job.ended:
        _close(job, at)


def _close(job: Job, trainer: Trainer) -> None:
    """Have the distillation go on; the job leaves the list once its training files have left the trainer."""
    advance = AdvanceDistillation(distillation_id=job.distillation_id)
    bus.send(advance)
    if forget_files(trainer, job) or patience_over(job.finished_at or 0):
        table.delete(OPEN, job.id)


def _stop_clock() -> None:
    """Stop the clock where no job is open; look again afterwards, since a job may have opened in between."""
    if _any_open():
        return
    aws.events().disable_rule(Name=settings().WATCH_RULE)
    if _any_open():
        aws.events().enable_rule(Name=settings().WATCH_RULE)


def _any_open() -> bool:
    return next(table.query(OPEN, limit=1), None) is not None
