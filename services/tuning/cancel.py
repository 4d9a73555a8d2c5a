"""Stop the job of a cancelled distillation. One that never started, or has ended, needs nothing."""

from __future__ import annotations

from foundation.consumer import logger
from foundation.distillations import Job
from foundation.errors import RetryLater
from tuning.trainers import TRAINERS, Trainer, TrainerAway, TrainerRefused


def cancel(job_id: str, trainer: Trainer | None = None) -> None:
    job = Job.find(job_id)
    if job is None or job.ended or job.provider_job_id is None:
        return
    try:
        (trainer or TRAINERS[job.trainer]()).cancel(job.provider_job_id)
    except TrainerAway as away:
        raise RetryLater(f"the trainer is away: {away}") from away
    except TrainerRefused as refusal:
        logger().warning("job not cancelled", extra={"job_id": job_id, "error": str(refusal)})
