"""What start, watch and cancel share: the list of jobs open at a trainer, the lease of what costs, how a job ends."""

from __future__ import annotations

from distillations.job import OPEN_JOBS, Job, JobFailure, JobStatus
from foundation import aws, bus, table
from foundation.bounds import cut
from foundation.consumer import logger
from foundation.events import AdvanceDistillation
from foundation.ids import derived_id, now
from foundation.settings import settings
from tuning.booking import book_nothing, book_unknown
from tuning.trainers import ProviderJob, Trainer, TrainerAway, TrainerRefused

LEASE = "START"
DOUBTFUL = "DOUBTFULJOBS"
"""The partition of the jobs of which nobody knows whether they were started; `doubtful` looks for them."""


def note(job: Job, status: str, message: str) -> None:
    """Write an event of a job, once for each status it reaches; the message is cut to what an event shows."""
    event_id = derived_id("ftevent-", job.id, status)
    table.put_new(
        {
            "pk": job.id,
            "sk": f"EVENT#{status}",
            "id": event_id,
            "created_at": now(),
            "level": "error" if status == "failed" else "info",
            "message": cut(message),
        }
    )


def ended(job: Job, status: JobStatus, code: str = "", message: str = "") -> ProviderJob:
    """The end of a job as its trainer would have said it: `code` and `message` where it failed."""
    error = JobFailure(code=code, message=message) if code else None
    return ProviderJob(id=job.provider_job_id or "", status=status, error=error)


def end_unstarted(trainer: Trainer, job: Job, *, may_run: bool = False) -> None:
    """End a job as cancelled that a cancellation has reached before its start.

    With `may_run` it may be at the trainer all the same: nobody knows what it costs.
    """
    if may_run:
        leave_unknown(trainer, job)
    else:
        leave_nothing(trainer, job)
    note(job, "cancelled", "Cancelled before it was under way.")
    if job.distillation_id is None:
        have_watched(job)
    job.change({"status": "cancelled", "finished_at": now()})
    if job.distillation_id and job.cancel_requested_at:
        # One of several attempts: the distillation goes on without it.
        bus.send(AdvanceDistillation(distillation_id=job.distillation_id))


def fail_unstarted(job: Job, error: JobFailure) -> None:
    """End a job as failed that its trainer has not, unless it was started meanwhile."""
    note(job, "failed", f"Not started: {error.message}")
    ended = {"status": "failed", "error": error, "finished_at": now()}
    job.change(ended, where={"status": job.status, "provider_job_id": None})


def have_watched(job: Job) -> None:
    """Put the job on the list of open ones, and start the clock: the watcher takes it off once all is done."""
    table.put({"pk": OPEN_JOBS, "sk": job.id})
    aws.events().enable_rule(Name=settings().WATCH_RULE)


def forget_files(trainer: Trainer, job: Job) -> bool:
    """Delete the training files of an ended job at its trainer. False while the trainer is away."""
    try:
        trainer.forget(job.id)
    except TrainerRefused as refusal:
        logger().warning("training files not deleted", extra={"job_id": job.id, "error": str(refusal)})
    except TrainerAway as away:
        logger().warning("training files not deleted yet", extra={"job_id": job.id, "error": str(away)})
        return False
    return True


def leave_nothing(trainer: Trainer, job: Job) -> None:
    """Delete the training files of a job that is about to end without a start, or leave that to the watcher.

    It has cost nothing. This comes before the end is written: a message about a job that has ended does nothing when it
    is delivered again.
    """
    book_nothing(job)
    _leave_no_files(trainer, job)


def leave_unknown(trainer: Trainer, job: Job) -> None:
    """The same for a job of which nobody knows whether it was started, and so what it costs."""
    book_unknown(job)
    doubt(job)
    _leave_no_files(trainer, job)


def doubt(job: Job) -> None:
    """Have a job looked for that was about to start, and of which no trainer has said that it did."""
    if Job.load(job.id).booked_at is not None:
        table.put_new({"pk": DOUBTFUL, "sk": job.id, "since": now()})


def _leave_no_files(trainer: Trainer, job: Job) -> None:
    if not forget_files(trainer, job):
        have_watched(job)
