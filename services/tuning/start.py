"""Start a dataset's fine-tuning job: once, whatever is redelivered.

In: the key of a card that landed. The job's id is its intent and travels to the trainer; after a crash or a
doubtful answer the trainer is asked for it before anything is started. A refusal ends the job as failed, a
cancellation that comes first ends it as cancelled; neither is ever open.
"""

from __future__ import annotations

from typing import Any

from distillations import lineage
from distillations.dataset import Dataset
from distillations.distillation import TERMINAL, Distillation
from distillations.job import Job, JobFailure
from distillations.lineage import Node
from foundation import aws, blobs, bus, lease, table
from foundation.errors import RetryLater
from foundation.events import AdvanceDistillation
from foundation.ids import derived_id, now
from foundation.settings import settings
from tuning.jobs import LEASE, OPEN, end_unstarted, note
from tuning.trainers import ProviderJob, Trainer, TrainerAway, TrainerRefused, Training, trainer_named

_SUFFIX_LENGTH = 18


def start(card_key: str, context: Any, trainer: Trainer | None = None) -> None:
    """Start the job of the dataset whose card lies at this key."""
    dataset = Dataset.load(card_key.split("/")[1])
    distillation = Distillation.load(dataset.distillation_id)
    if distillation.status in TERMINAL:
        return
    job = _intent(distillation, dataset)
    with lease.held(job.id, LEASE, context):
        job = Job.load(job.id)
        if job.provider_job_id is None and not job.ended:
            # Looked at once more, now that the intent is there: a cancellation from here on finds it.
            if Distillation.load(distillation.id).status in TERMINAL:
                end_unstarted(job)
                return
            _start_at(trainer or trainer_named(job.trainer), job, distillation, dataset)
    aws.events().enable_rule(Name=settings().WATCH_RULE)
    advance = AdvanceDistillation(distillation_id=distillation.id)
    bus.send(advance)


def _intent(distillation: Distillation, dataset: Dataset) -> Job:
    job = Job(
        id=derived_id("ftjob-", dataset.id),
        created_at=now(),
        distillation_id=distillation.id,
        dataset_id=dataset.id,
        trainer=distillation.trainer,
        model=distillation.student,
        hyperparameters=distillation.hyperparameters,
        seed=distillation.seed,
    )
    job.create()
    lineage.link([(Node("dataset", dataset.id), Node("job", job.id))])
    return job


def _start_at(trainer: Trainer, job: Job, distillation: Distillation, dataset: Dataset) -> None:
    try:
        started = trainer.find(job.id) or trainer.start(_training(job, distillation, dataset))
    except TrainerAway as away:
        raise RetryLater(f"the trainer is away: {away}") from away
    except TrainerRefused as refusal:
        note(job, "failed", f"The trainer refused: {refusal}")
        error = JobFailure(code=refusal.code, message=str(refusal))
        job.change({"status": "failed", "error": error, "finished_at": now()})
        return
    _record(job, started)


def _training(job: Job, distillation: Distillation, dataset: Dataset) -> Training:
    return Training(
        intent=job.id,
        model=job.model,
        train=blobs.get(dataset.key("train.jsonl")),
        validation=blobs.get(dataset.key("validation.jsonl")),
        hyperparameters=job.hyperparameters,
        seed=job.seed,
        suffix=_suffix(distillation.name),
    )


def _suffix(name: str) -> str:
    kept = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower())
    return kept.strip("-")[:_SUFFIX_LENGTH].strip("-") or "stillhouse"


def _record(job: Job, started: ProviderJob) -> None:
    table.put({"pk": OPEN, "sk": job.id})
    note(job, "created", f"Created at the trainer as {started.id}.")
    job.change({"provider_job_id": started.id})
