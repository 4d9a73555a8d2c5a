"""Follow the open jobs: detect what changed, record it, and have the distillation go on.

In: a tick of the clock. Out: job rows and events, model versions, and an `AdvanceDistillation` for each job that ended.
A job leaves the list after that message is sent and its training files are deleted at the trainer. A job that raises is
tried again at the next tick and holds no other up; the first error is raised at the end, for the alarm. While a trainer
gives no status its distillation shows that it waits; when the patience is over, the job ends as failed. With no job
open, the clock is stopped.
"""

from __future__ import annotations

from distillations import lineage
from distillations.distillation import Distillation
from distillations.job import FOLLOWING, Job, JobFailure
from distillations.lineage import Node
from foundation import aws, bus, table
from foundation.consumer import logger
from foundation.events import AdvanceDistillation
from foundation.ids import now
from foundation.later import patience_over
from foundation.settings import settings
from providers.model_version import ModelVersion
from tuning import pause
from tuning.jobs import OPEN, forget_files, note
from tuning.trainers import ProviderJob, Trainer, TrainerAway, TrainerRefused, trainer_named

_GONE = 404


def watch(trainer: Trainer | None = None) -> None:
    """Look at every open job once."""
    errors: list[Exception] = []
    for row in table.query(OPEN):
        try:
            _look_at(row["sk"], row.get("away_since") or 0, trainer)
        except Exception as error:  # noqa: BLE001 - the others are still to be looked at
            logger().exception("job not looked at", extra={"job_id": row["sk"]})
            errors.append(error)
    _stop_clock()
    if errors:
        raise errors[0]


def _look_at(job_id: str, away_since: int, trainer: Trainer | None) -> None:
    """Look at one open job; an entry whose job is gone leaves the list.

    `away_since` is when its trainer stopped answering, in seconds since the epoch; 0 while it answers.
    """
    job = Job.find(job_id)
    if job is None:
        table.delete(OPEN, job_id)
        return
    at = trainer or trainer_named(job.trainer)
    if job.provider_job_id and not job.ended:
        job = _follow(job, away_since, at)
    if job.ended:
        _close(job, at)


def _follow(job: Job, away_since: int, trainer: Trainer) -> Job:
    try:
        seen = trainer.look(job.provider_job_id or "")
    except (TrainerAway, TrainerRefused) as error:
        if isinstance(error, TrainerRefused) and error.status == _GONE:
            seen = _vanished(job, error)
        elif away_since and patience_over(away_since):
            message = f"The trainer stayed away, and the job may go on there: {error}"
            seen = _failed(job, "trainer_away", message)
        else:
            _wait(job, away_since or now(), error)
            return job
    else:
        if away_since:
            _go_on(job)
    if not job.may_become(seen.status):
        return job
    logger().info("job changed", extra={"job_id": job.id, "from": job.status, "to": seen.status})
    note(job, seen.status, _message(job, seen))
    if seen.status == "succeeded" and seen.fine_tuned_model:
        _register(job, seen.fine_tuned_model)
    job.change(
        {
            "status": seen.status,
            "fine_tuned_model": seen.fine_tuned_model,
            "trained_tokens": seen.trained_tokens,
            "finished_at": seen.finished_at or (now() if not FOLLOWING[seen.status] else None),
            "error": seen.error,
        },
        where={"status": job.status},
    )
    return Job.load(job.id)


def _vanished(job: Job, refusal: TrainerRefused) -> ProviderJob:
    """The end of a job that its trainer no longer knows: cancelled with its distillation, else failed."""
    distillation = Distillation.find(job.distillation_id)
    if distillation and distillation.status == "cancelled":
        return ProviderJob(id=job.provider_job_id or "", status="cancelled")
    return _failed(job, "job_vanished", f"The trainer no longer knows the job {job.provider_job_id}: {refusal}")


def _failed(job: Job, code: str, message: str) -> ProviderJob:
    return ProviderJob(id=job.provider_job_id or "", status="failed", error=JobFailure(code=code, message=message))


def _wait(job: Job, since: int, error: TrainerAway | TrainerRefused) -> None:
    """Note since when the trainer gives no status, and have the distillation show it."""
    logger().warning("trainer gave no status", extra={"job_id": job.id, "error": str(error)})
    table.update(OPEN, job.id, {"away_since": since})
    distillation = Distillation.find(job.distillation_id)
    if distillation and distillation.status == "training":
        pause.show(distillation, since, error)


def _go_on(job: Job) -> None:
    table.update(OPEN, job.id, {"away_since": 0})
    distillation = Distillation.find(job.distillation_id)
    if distillation and distillation.status == "training":
        pause.go_on(distillation)


def _message(job: Job, seen: ProviderJob) -> str:
    detail = seen.error.message if seen.error else seen.fine_tuned_model or ""
    return f"{job.status} -> {seen.status}{': ' if detail else ''}{detail}"


def _register(job: Job, model: str) -> None:
    ModelVersion(
        id=model,
        created_at=now(),
        served_as=model,
        base=job.model,
        job_id=job.id,
        dataset_id=job.dataset_id,
        distillation_id=job.distillation_id,
        trainer=job.trainer,
    ).create()
    lineage.link([(Node("job", job.id), Node("model", model))])


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
