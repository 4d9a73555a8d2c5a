"""Stop the job of a cancelled distillation.

In: the job's id. A job that runs at the trainer is cancelled there, and the watcher records its end. A job that was not
started, or whose start was not recorded because of a crash, is ended here. While another delivery is starting the job,
RetryLater has the message come again. Nothing happens to a job that has ended.
"""

from __future__ import annotations

from typing import Any

from distillations.job import Job
from foundation import lease
from foundation.consumer import logger
from foundation.errors import RetryLater
from tuning.jobs import LEASE, end_unstarted
from tuning.trainers import Trainer, TrainerAway, TrainerRefused, trainer_named


def cancel(job_id: str, context: Any, trainer: Trainer | None = None) -> None:
    job = Job.find(job_id)
    if job is None or job.ended:
        return
    at = trainer or trainer_named(job.trainer)
    try:
        if job.provider_job_id:
            _stop(at, job, job.provider_job_id)
            return
        with lease.held(job.id, LEASE, context):
            _end_unrecorded(at, Job.load(job.id))
    except TrainerAway as away:
        raise RetryLater(f"the trainer is away: {away}") from away


def _end_unrecorded(trainer: Trainer, job: Job) -> None:
    """End a job without a recorded start. After a crash it may run at the trainer all the same: it is stopped there."""
    if job.provider_job_id:
        _stop(trainer, job, job.provider_job_id)
        return
    started = trainer.find(job.id)
    if started:
        _stop(trainer, job, started.id)
    end_unstarted(job)


def _stop(trainer: Trainer, job: Job, provider_job_id: str) -> None:
    try:
        trainer.cancel(provider_job_id)
    except TrainerRefused as refusal:
        logger().warning("job not cancelled", extra={"job_id": job.id, "error": str(refusal)})
