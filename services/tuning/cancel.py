"""Stop a job that somebody cancelled, or whose distillation was.

In: `CancelJob`. A job that runs at the trainer is cancelled there, and the watcher records its end. A job whose model
is being deployed is ended by the watcher, which retires what was deployed. A job that was not started, or whose start
was not recorded because of a crash, is ended here. While another delivery is starting the job, RetryLater has the
message come again. While the trainer is away the message comes again later; when the patience is over, the job's
events say that nobody stopped it. Nothing happens to a job that has ended.
"""

from __future__ import annotations

from typing import Any

from distillations.job import Job
from foundation import lease
from foundation.consumer import logger
from foundation.events import CancelJob
from foundation.ids import now
from foundation.later import patience_over
from tuning.jobs import LEASE, doubt, end_unstarted, have_watched, note
from tuning.pause import come_again
from tuning.trainers import Trainer, TrainerAway, TrainerRefused, trainer_named


def cancel(message: CancelJob, context: Any, trainer: Trainer | None = None) -> None:
    job = Job.find(message.job_id)
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
        _wait_or_leave(message, job, at, away)


def give_up(message: CancelJob, reason: str) -> None:
    """Say that nobody stopped the job. One that was not started is over: nobody will start it."""
    job = Job.find(message.job_id)
    if job is None or job.ended:
        return
    note(job, "not_stopped", f"The trainer was not asked to stop the job, and it may cost: {reason}.")
    if not job.provider_job_id:
        # The watcher deletes what may lie at the trainer, and books what is known of the cost.
        have_watched(job)
        doubt(job)
        job.change({"status": "cancelled", "finished_at": now()}, where={"provider_job_id": None})


def _wait_or_leave(message: CancelJob, job: Job, trainer: Trainer, away: TrainerAway) -> None:
    since = message.away_since or now()
    if not patience_over(since):
        come_again(message, since, away_since=since)
        return
    logger().error("job not cancelled", extra={"job_id": job.id, "error": str(away)})
    note(job, "not_stopped", f"The trainer stayed away and could not be asked to stop the job: {away}")
    if not job.provider_job_id:
        end_unstarted(trainer, job, may_run=True)


def _end_unrecorded(trainer: Trainer, job: Job) -> None:
    """End a job without a recorded start. After a crash it may run at the trainer all the same: it is stopped there."""
    if job.provider_job_id:
        _stop(trainer, job, job.provider_job_id)
        return
    started = trainer.find(job.id)
    if started:
        _stop(trainer, job, started.id)
    end_unstarted(trainer, job, may_run=started is not None)


def _stop(trainer: Trainer, job: Job, provider_job_id: str) -> None:
    job.change({"cancel_requested_at": job.cancel_requested_at or now()})
    if job.status == "deploying":
        return
    try:
        trainer.cancel(provider_job_id)
    except TrainerRefused as refusal:
        logger().warning("job not cancelled", extra={"job_id": job.id, "error": str(refusal)})
