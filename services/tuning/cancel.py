"""Stop the job of a cancelled distillation.

In: the job's id. A job at the trainer is cancelled there, and the watcher sees its end; one that was never started, or
whose start nobody recorded, ends here. While a start is at work the message waits. One that has ended needs nothing.
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
    """After a crash a job may run at the trainer that no row names."""
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
