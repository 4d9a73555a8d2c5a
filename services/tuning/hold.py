"""Have a trainer pause a job, or go on with it: whatever was asked for last, in whatever order the messages arrive.

In: `PauseJob`. Out: nothing; the watcher records what has become of it. Nothing happens to a job that is not under way.
While the trainer is away the message comes again later; what the trainer refuses is told among the job's events.
"""

from __future__ import annotations

from distillations.job import Job
from foundation.consumer import logger
from foundation.ids import now
from foundation.job_messages import PauseJob
from foundation.later import patience_over
from tuning.jobs import note
from tuning.pause import come_again
from tuning.trainers import PausingTrainer, TrainerAway, TrainerRefused, trainer_named


def hold(message: PauseJob, trainer: PausingTrainer | None = None) -> None:
    job = Job.find(message.job_id)
    if job is None or job.ended or job.status == "deploying" or not job.provider_job_id:
        return
    try:
        _ask(job, job.provider_job_id, trainer)
    except TrainerAway as away:
        since = message.away_since or now()
        if not patience_over(since):
            come_again(message, since, away_since=since)
            return
        _tell(job, away)
    except TrainerRefused as refusal:
        _tell(job, refusal)


def _ask(job: Job, provider_job_id: str, trainer: PausingTrainer | None) -> None:
    at = trainer or trainer_named(job.trainer)
    if not isinstance(at, PausingTrainer):
        raise TrainerRefused(f"The trainer '{job.trainer}' cannot pause a job.", "unsupported")
    if job.pause_requested_at:
        at.pause(provider_job_id)
    else:
        at.resume(provider_job_id)


def give_up(message: PauseJob, reason: str) -> None:
    """Say that nobody asked the trainer."""
    job = Job.find(message.job_id)
    if job and not job.ended:
        _tell(job, reason)


def _tell(job: Job, error: TrainerAway | TrainerRefused | str) -> None:
    asked = "paused" if job.pause_requested_at else "resumed"
    logger().warning(f"job not {asked}", extra={"job_id": job.id, "error": str(error)})
    note(job, f"not_{asked}", f"The job was not {asked}: {error}")
