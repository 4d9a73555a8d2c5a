"""From the end of a training to a model that answers: deploy it, register it, ask it.

In: a job whose training is done. Out: what has become of it, as a trainer's own look would say it: `deploying` for as
long as it takes, `succeeded` once the model has answered a call, `failed` with the words of the trainer, `cancelled`.
Before a job ends without a model that answers, what was deployed for it is retired: nothing that nobody uses costs on.
That may take several looks. Why the job fails is written first, so that none of them deploys again what is going.

A lease keeps two invocations of the watcher apart: one must not deploy what the other has just retired.
"""

from __future__ import annotations

from typing import Any

from distillations import lineage
from distillations.attempts import MOST_CHECKPOINTS
from distillations.checkpoints import checkpoints_of
from distillations.job import Job, JobFailure
from distillations.lineage import Node
from foundation import bus, lease
from foundation.errors import AtWork
from foundation.events import RetireModel
from foundation.ids import now
from foundation.later import patience_over
from providers.model_version import ModelVersion
from tuning import answering
from tuning.jobs import LEASE, ended
from tuning.trainers import Deployment, ProviderJob, Trained, Trainer, TrainerRefused


def look(job: Job, trainer: Trainer, context: Any, *, since: int) -> ProviderJob:
    """Take the step that is due. Raises TrainerAway while the trainer or the model gives no answer.

    `since` is when the deployment began, in seconds since the epoch: one that is not done when the patience is over
    has failed.
    """
    try:
        with lease.held(job.id, LEASE, context):
            return _look(Job.load(job.id), trainer, since)
    except AtWork:
        return _still(job)


def _look(job: Job, trainer: Trainer, since: int) -> ProviderJob:
    if job.status != "deploying":
        return _still(job)
    if job.cancel_requested_at:
        clear(job, trainer)
        return ended(job, "cancelled")
    if job.error:
        return _failed(job, trainer, job.error.code, job.error.message)
    try:
        deployment = trainer.deploy(Trained(job.id, job.model, job.artifact or ""))
    except TrainerRefused as refusal:
        return _failed(job, trainer, refusal.code, f"The trained model was not deployed: {refusal}")
    if deployment and deployment.error:
        return _failed(job, trainer, deployment.error.code, f"The deployment failed: {deployment.error.message}")
    if deployment and not deployment.ready and patience_over(since):
        return _failed(job, trainer, "deployment_timeout", "The trained model is deployed without an end.")
    if deployment and not deployment.ready:
        return _still(job)
    model = _registered(job, deployment)
    answering.ask(model.id)
    if not trainer.deploys:
        _register_checkpoints(job, model)
    return ProviderJob(job.provider_job_id or "", "succeeded", model.id, trained_tokens=job.trained_tokens)


def clear(job: Job, trainer: Trainer) -> None:
    """Retire what a job deployed that ends without a model that answers. Raises TrainerAway.

    A model that costs nothing while nobody asks it, since its trainer deploys nothing, is left: it was paid for.
    """
    if not trainer.deploys:
        return
    model = ModelVersion.find(job.deployment or "") or _model(job, None)
    trainer.retire(model)
    model.change({"retired_at": now()}, condition="attribute_exists(pk)")


def have_retired(job: Job, trainer: Trainer) -> None:
    """Have what a job deployed retired later, though the job ends now: `RetireModel` has a patience of its own."""
    if trainer.deploys:
        model = ModelVersion.find(job.deployment or "") or _registered(job, None)
        bus.send(RetireModel(model_id=model.id))


def _failed(job: Job, trainer: Trainer, code: str, message: str) -> ProviderJob:
    """The end of a job, once nothing of it is deployed. Raises TrainerAway until then."""
    job.change({"error": JobFailure(code=code, message=message)})
    clear(job, trainer)
    return ended(job, "failed", code, message)


def _still(job: Job) -> ProviderJob:
    return ProviderJob(job.provider_job_id or "", "deploying", job.artifact)


def _registered(job: Job, deployment: Deployment | None) -> ModelVersion:
    """The model as names are resolved by it. One that a person has named is there already."""
    model = _model(job, deployment)
    job.change({"deployment": model.id})
    model.create()
    lineage.link([(Node("job", job.id), Node("model", model.id))])
    return model


def _register_checkpoints(job: Job, model: ModelVersion) -> None:
    """Let the latest of what the trainer kept of the training be asked for by name, like the model at its end.

    Whether they answer is not asked here: who compares them finds out.
    """
    for checkpoint in checkpoints_of(job.id)[: MOST_CHECKPOINTS + 1]:
        if checkpoint.model != model.id:
            there = {"id": checkpoint.model, "served_as": checkpoint.model, "artifact": None, "step": checkpoint.step}
            model.model_copy(update=there).create()
            lineage.link([(Node("job", job.id), Node("model", checkpoint.model))])


def _model(job: Job, deployment: Deployment | None) -> ModelVersion:
    name = deployment.served_as if deployment else job.artifact or ""
    return ModelVersion(
        id=name,
        created_at=now(),
        provider=deployment.provider if deployment else job.artifact_provider,
        served_as=name,
        artifact=job.artifact,
        base=job.model,
        job_id=job.id,
        dataset_id=job.dataset_id,
        distillation_id=job.distillation_id,
        trainer=job.trainer,
    )
