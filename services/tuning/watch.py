"""Follow the open jobs: detect what changed, record it, and have the distillation go on.

In: a tick of the clock, or an event of AWS about one job: these come at best effort and bring a look forward. Out: job
rows and events, model versions, and for each job that ended an `AdvanceDistillation`, or a `DeliverEvent` where no
distillation waits for it. A job leaves the list after that message is sent and its training files are deleted at the
trainer. A job that raises is tried again at the next tick and
holds no other up; the first error is raised at the end, for the alarm. Where it raises until the patience is over, it
ends as failed. Each minute begins with another job, so that those of a trainer that hangs take the time of no others.
With no job open, the clock is stopped.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from distillations.job import OPEN_JOBS, Job, JobFailure, JobStatus
from foundation import aws, bus, table
from foundation.consumer import logger
from foundation.curve_messages import AdvanceLearningCurve
from foundation.events import AdvanceDistillation, DeliverEvent
from foundation.ids import now
from foundation.later import patience_over
from foundation.settings import settings
from foundation.table import Row
from notifications.event_types import EventType
from tuning import deploying
from tuning.booking import book_end
from tuning.follow import follow
from tuning.jobs import forget_files, note
from tuning.trainers import Trainer, trainer_named

_MARGIN_MS = 45_000
"""With less time than one trainer may take that hangs, no further job is looked at; or with less than half of all."""

_EVENTS: dict[JobStatus, EventType] = {
    "succeeded": "fine_tuning.job.succeeded",
    "failed": "fine_tuning.job.failed",
    "cancelled": "fine_tuning.job.cancelled",
}
"""How a job's end is called among the events of webhooks, as at OpenAI."""


def job_of(event: dict[str, Any]) -> str | None:
    """The job whose state has changed, by AWS's own event of it; None for the clock, which means every job."""
    detail = event.get("detail") or {}
    name = detail.get("jobName") or detail.get("TrainingJobName")
    return str(name) if name else None


def watch(context: Any, trainer: Trainer | None = None, *, only: str | None = None) -> None:
    """Look at every open job once, as far as the time reaches, or at one `only`. `context` is Lambda's."""
    errors: list[Exception] = []
    margin_ms = min(_MARGIN_MS, context.get_remaining_time_in_millis() // 2)
    for row in _in_turn([row for row in table.query(OPEN_JOBS) if only in {None, row["sk"]}]):
        if context.get_remaining_time_in_millis() < margin_ms:
            break
        try:
            _look_at(row, context, trainer)
        except Exception as error:  # noqa: BLE001 - the others are still to be looked at
            logger().exception("job not looked at", extra={"job_id": row["sk"]})
            errors.append(error)
            _wait_or_end(row, error, trainer)
    _stop_clock()
    if errors:
        raise errors[0]


def _in_turn(rows: list[Row]) -> list[Row]:
    """The rows from another one on each minute."""
    first = now() // 60 % len(rows) if rows else 0
    return rows[first:] + rows[:first]


def _look_at(row: Row, context: Any, trainer: Trainer | None) -> None:
    """Look at one open job; an entry whose job is gone leaves the list."""
    job = Job.find(row["sk"])
    if job is None:
        table.delete(OPEN_JOBS, row["sk"])
        return
    at = trainer or trainer_named(job.trainer)
    if job.provider_job_id and not job.ended:
        job = follow(job, row, at, context)
    if row.get("failing_since"):
        table.update(OPEN_JOBS, job.id, {"failing_since": 0})
    if job.ended:
        _close(job, row, at)


def _wait_or_end(row: Row, error: Exception, trainer: Trainer | None) -> None:
    """Note since when looking at a job raises what nobody planned; when the patience is over, end the job."""
    since = int(row.get("failing_since") or now())
    try:
        table.update(OPEN_JOBS, row["sk"], {"failing_since": since})
        if patience_over(since):
            _end(Job.load(row["sk"]), error, trainer)
    except Exception:  # noqa: BLE001 - the same: the others are still to be looked at
        logger().exception("job not ended", extra={"job_id": row["sk"]})


def _end(job: Job, error: Exception, trainer: Trainer | None) -> None:
    """End a job at which nobody can look, and book that nobody knows what it has cost."""
    if job.status == "deploying":
        with suppress(KeyError):  # No trainer has that name any more: its end says that it may cost.
            deploying.have_retired(job, trainer or trainer_named(job.trainer))
    reason = f"It could not be looked at any more ({type(error).__name__}), and may go on at the trainer and cost."
    if not job.ended:
        note(job, "failed", reason)
        failure = JobFailure(code="watch_failed", message=reason)
        end = {"status": "failed", "error": failure, "finished_at": now(), "stalled_since": None}
        job.change(end, where={"status": job.status})
    ended = Job.load(job.id)
    book_end(ended)
    _tell(ended, {})
    table.delete(OPEN_JOBS, job.id)


def _close(job: Job, row: Row, trainer: Trainer) -> None:
    """Book its cost, and have its distillation go on, or tell the webhooks that it has ended.

    The job leaves the list once its training files have left the trainer.
    """
    book_end(job)
    _tell(job, row)
    if forget_files(trainer, job) or patience_over(job.finished_at or 0):
        table.delete(OPEN_JOBS, job.id)


def _tell(job: Job, row: Row) -> None:
    """Tell who waits for the end of a job. Its entry in the list notes that the webhooks were told."""
    if job.distillation_id:
        bus.send(AdvanceDistillation(distillation_id=job.distillation_id))
    elif job.learning_curve_id:
        bus.send(AdvanceLearningCurve(learning_curve_id=job.learning_curve_id))
    elif not row.get("end_told") and job.status in _EVENTS:
        bus.send(DeliverEvent(event_type=_EVENTS[job.status], object_id=job.id))
        table.update(OPEN_JOBS, job.id, {"end_told": True})


def _stop_clock() -> None:
    """Stop the clock where no job is open; look again afterwards, since a job may have opened in between."""
    if _any_open():
        return
    aws.events().disable_rule(Name=settings().WATCH_RULE)
    if _any_open():
        aws.events().enable_rule(Name=settings().WATCH_RULE)


def _any_open() -> bool:
    return next(table.query(OPEN_JOBS, limit=1), None) is not None
