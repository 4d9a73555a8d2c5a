"""Look at one open job and record what has changed.

In: the job and its entry in the list of open ones. Out: the job as it stands then. While its trainer gives no status,
or a trained model no answer, it is shown that the job waits; when the patience is over, the job ends as failed.
The training's end is not the job's: `deploying` follows, until the model has answered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from distillations import checkpoints
from distillations.distillation import Distillation
from distillations.job import OPEN_JOBS, Job
from foundation import table
from foundation.consumer import logger
from foundation.ids import now
from foundation.later import patience_over
from foundation.table import Row
from notifications.alerts import Alert
from notifications.raising import raise_once
from tuning import deploying, pause, stalling
from tuning.answering import REFUSED
from tuning.jobs import ended, note
from tuning.telling import keep_events
from tuning.trainers import ProviderJob, Trainer, TrainerAway, TrainerRefused, UnknownState

_GONE = 404
_REFUSED_S = 3600
"""How long a provider may refuse a model that was just trained before that is taken for its last word."""


def follow(job: Job, row: Row, trainer: Trainer, context: Any) -> Job:
    """Raises UnknownState, for the alarm, where the trainer names a state that nobody here knows."""
    try:
        if job.status == "deploying":
            seen = deploying.look(job, trainer, context, since=int(row.get("deploying_since") or now()))
        else:
            seen = trainer.look(job.provider_job_id or "")
    except (TrainerAway, TrainerRefused) as error:
        last = _last_word(job, row, error, trainer)
        if last is None:
            _wait(job, row, error)
            if isinstance(error, UnknownState):
                raise
            return job
        seen = last
    else:
        if row.get("away_since"):
            _go_on(job)
    told = _keep(job, row, seen)
    if seen.status == "succeeded" and job.status != "deploying":
        return _trained(job, seen, trainer, context)
    moved = _move(job, seen)
    if not moved.ended:
        stalling.observe(moved, row, moved=told or moved.status != job.status)
    return moved


def _trained(job: Job, seen: ProviderJob, trainer: Trainer, context: Any) -> Job:
    """The training is done: what it made is recorded, and then deployed and asked."""
    if not seen.fine_tuned_model:
        return _move(job, ended(job, "failed", "no_model", "The training succeeded, and the trainer names no model."))
    table.update(OPEN_JOBS, job.id, {"deploying_since": now()})
    moved = _move(job, replace(seen, status="deploying", error=None))
    return follow(moved, {}, trainer, context) if moved.status == "deploying" else moved


def _last_word(job: Job, row: Row, error: TrainerAway | TrainerRefused, trainer: Trainer) -> ProviderJob | None:
    """How the job ends because of this error; None while there is hope."""
    # While it is deployed something else is not there: the job was trained, and its model may cost.
    if isinstance(error, TrainerRefused) and error.status == _GONE and job.status != "deploying":
        return _vanished(job, error)
    if not _waited_enough(row, error):
        return None
    if job.status == "deploying":
        return _undeployed(Job.load(job.id), error, trainer)
    code = error.code if isinstance(error, TrainerAway) else TrainerAway.code
    return ended(job, "failed", code, f"The trainer gave no status, and the job may go on there: {error}")


def _undeployed(job: Job, error: TrainerAway | TrainerRefused, trainer: Trainer) -> ProviderJob:
    """The end of a job whose model was not deployed within the patience."""
    _clear_or_leave(job, trainer)
    if job.cancel_requested_at:
        return ended(job, "cancelled")
    if job.error:
        return ended(job, "failed", job.error.code, job.error.message)
    return ended(job, "failed", error.code, str(error))


def _waited_enough(row: Row, error: TrainerAway | TrainerRefused) -> bool:
    refused_since = row.get("refused_since") or 0
    if error.code == REFUSED and refused_since and now() - refused_since >= _REFUSED_S:
        return True
    since = row.get("away_since") or 0
    return bool(since) and patience_over(since)


def _clear_or_leave(job: Job, trainer: Trainer) -> None:
    """Retire what was deployed, have it retired later where that takes longer, or say that nobody can."""
    try:
        deploying.clear(job, trainer)
    except TrainerAway:
        deploying.have_retired(job, trainer)
    except TrainerRefused as error:
        logger().error("deployment not retired", extra={"job_id": job.id, "error": str(error)})
        note(job, "not_retired", f"What was deployed at the trainer could not be retired and may cost: {error}")


def _vanished(job: Job, refusal: TrainerRefused) -> ProviderJob:
    """The end of a job that its trainer no longer knows: cancelled where that was asked for, else failed."""
    distillation = Distillation.find(job.distillation_id) if job.distillation_id else None
    if job.cancel_requested_at or (distillation and distillation.status == "cancelled"):
        return ended(job, "cancelled")
    message = f"The trainer no longer knows the job {job.provider_job_id}: {refusal}"
    return ended(job, "failed", "job_vanished", message)


def _wait(job: Job, row: Row, error: TrainerAway | TrainerRefused) -> None:
    """Note since when there is no answer, and since when nothing but refusals, and show it."""
    logger().warning("trainer gave no status", extra={"job_id": job.id, "error": str(error)})
    since = row.get("away_since") or now()
    refused_since = (row.get("refused_since") or now()) if error.code == REFUSED else 0
    table.update(OPEN_JOBS, job.id, {"away_since": since, "refused_since": refused_since})
    pause.show(job, since, error)


def _go_on(job: Job) -> None:
    table.update(OPEN_JOBS, job.id, {"away_since": 0, "refused_since": 0})
    pause.go_on(job)


def _keep(job: Job, row: Row, seen: ProviderJob) -> bool:
    """Keep what the trainer told of the job, before its state: an ended job is not looked at again.

    Returns whether it told anything new.
    """
    since = row.get("told_until") or 0
    until = keep_events(job, seen.events, since)
    if until != since:
        table.update(OPEN_JOBS, job.id, {"told_until": until})
    checkpoints.keep(job.id, seen.checkpoints)
    told = {
        "progress": job.progress if seen.progress is None else seen.progress,
        "estimated_finish": job.estimated_finish if seen.estimated_finish is None else seen.estimated_finish,
        "to_do": seen.to_do,
    }
    changed = any(getattr(job, name) != value for name, value in told.items())
    if changed:
        job.change(told, where={"status": job.status})
    return changed or until != since


def _move(job: Job, seen: ProviderJob) -> Job:
    """Write the state that was seen, if it may follow the job's."""
    if not job.may_become(seen.status):
        return job
    logger().info("job changed", extra={"job_id": job.id, "from": job.status, "to": seen.status})
    note(job, seen.status, _message(job, seen))
    if seen.status == "waiting_for_model":
        _tell_who_trains(job, seen)
    job.change(_changes(seen), where={"status": job.status})
    return Job.load(job.id)


def _tell_who_trains(job: Job, seen: ProviderJob) -> None:
    """Tell people once that the job waits for one of them, without an end."""
    of_its_own = f"fine_tuning/jobs/{job.id}"
    ended_at = f"distillations/{job.distillation_id}" if job.distillation_id else of_its_own
    alert = Alert.of(
        "fine_tuning.job.waiting_for_model",
        job.id,
        sentence=f"The fine-tuning job {job.id} waits until somebody has trained {job.model} and named the model.",
        lines=[*(seen.to_do or "").splitlines(), f"To end it: POST /v1/{ended_at}/cancel"],
    )
    raise_once(alert)


def _changes(seen: ProviderJob) -> dict[str, Any]:
    changes: dict[str, Any] = {"status": seen.status, "error": seen.error}
    if seen.trained_tokens is not None:
        changes["trained_tokens"] = seen.trained_tokens
    if seen.cost_usd is not None:
        changes["cost_usd"] = seen.cost_usd
    match seen.status:
        case "deploying":
            changes |= {"artifact": seen.fine_tuned_model, "artifact_provider": seen.provider}
        case "succeeded":
            changes |= {"fine_tuned_model": seen.fine_tuned_model, "finished_at": now(), "stalled_since": None}
        case "failed" | "cancelled":
            changes |= {"finished_at": seen.finished_at or now(), "stalled_since": None}
    return changes


def _message(job: Job, seen: ProviderJob) -> str:
    detail = seen.error.message if seen.error else seen.to_do or seen.fine_tuned_model or ""
    return f"{job.status} -> {seen.status}{': ' if detail else ''}{detail}"
