"""Retire a trained model: undo its deployment, and delete what it costs at its trainer.

In: `RetireModel`. Out: the model with `retired_at`. It may come twice: what is gone at the trainer is no error. A job
that still deploys the model is cancelled. While the trainer is away the message comes again later; when the patience
is over, or where the trainer refuses, the model stays as it is, and its job's events say that it may cost. A model that
an alias points at, or an open rollout, stays, too.
"""

from __future__ import annotations

from aliases.alias import aliases_of
from distillations.job import Job
from foundation.consumer import logger
from foundation.events import RetireModel
from foundation.ids import now
from foundation.later import patience_over
from providers.model_version import ModelVersion
from rollouts.in_use import rollout_with
from tuning.jobs import note
from tuning.pause import come_again
from tuning.trainers import Trainer, TrainerAway, TrainerRefused, trainer_named


def retire(message: RetireModel, trainer: Trainer | None = None) -> None:
    model = ModelVersion.find(message.model_id)
    if model is None or model.retired_at:
        return
    aliases = aliases_of(model.id)
    if aliases:
        _tell(model, f"it answers for the alias {aliases[0]}. Point that at another model, then retire this one again.")
        return
    rollout = rollout_with(model.id)
    if rollout:
        _tell(model, f"the rollout {rollout.id} needs it. End that, then retire this one again.")
        return
    _stop_deploying(model)
    try:
        if model.trainer:
            (trainer or trainer_named(model.trainer)).retire(model)
    except TrainerAway as away:
        since = message.away_since or now()
        if not patience_over(since):
            come_again(message, since, away_since=since)
            return
        _tell(model, away)
    except TrainerRefused as refusal:
        _tell(model, refusal)
    else:
        model.change({"retired_at": now()})


def _stop_deploying(model: ModelVersion) -> None:
    """Cancel the job that still deploys the model: its next look would make anew what is deleted here."""
    job = Job.find(model.job_id or "")
    if job and job.status == "deploying":
        job.change({"cancel_requested_at": job.cancel_requested_at or now()}, where={"status": job.status})


def give_up(message: RetireModel, reason: str) -> None:
    """Say that nobody retired the model."""
    model = ModelVersion.find(message.model_id)
    if model and not model.retired_at:
        _tell(model, reason)


def _tell(model: ModelVersion, error: TrainerAway | TrainerRefused | str) -> None:
    logger().error("model not retired", extra={"model": model.id, "error": str(error)})
    job = Job.find(model.job_id or "")
    if job:
        note(job, "not_retired", f"The model {model.id} was not retired and may cost: {error}")
