"""Start a dataset's fine-tuning job: once, whatever is redelivered.

In: `StartJob`. The job's id is its intent and travels to the trainer; after a crash or a doubtful answer the trainer is
asked for it before anything is started. What the trainer is known to refuse is found before it is asked, and told line
by line among the job's events. A refusal ends the job as failed, a cancellation that comes first ends it as
cancelled; neither is ever open. While the trainer is away the message comes again later, until the patience is over.
"""

from __future__ import annotations

from typing import Any

from distillations import lineage
from distillations.dataset import Dataset
from distillations.distillation import TERMINAL, Distillation
from distillations.job import Job, JobFailure
from distillations.lineage import Node
from foundation import aws, bus, lease, table
from foundation.events import AdvanceDistillation, StartJob, StepFailed
from foundation.ids import derived_id, now
from foundation.later import patience_over
from foundation.settings import settings
from tuning import pause
from tuning.jobs import LEASE, OPEN, end_unstarted, leave_nothing, note
from tuning.telling import keep_events
from tuning.trainers import (
    ProviderJob,
    Trainer,
    TrainerAway,
    TrainerEvent,
    TrainerRefused,
    Training,
    TrainingFile,
    trainer_named,
)

_SUFFIX_LENGTH = 18
_TOLD = 20


def start(message: StartJob, context: Any, trainer: Trainer | None = None) -> None:
    """Start the job of the dataset."""
    dataset = Dataset.load(message.dataset_id)
    distillation = Distillation.load(dataset.distillation_id)
    if distillation.status in TERMINAL:
        return
    job = _intent(distillation, dataset)
    try:
        with lease.held(job.id, LEASE, context):
            if not _settled(trainer or trainer_named(job.trainer), Job.load(job.id), dataset):
                return
    except TrainerAway as away:
        since = distillation.paused.since if distillation.paused else now()
        if not patience_over(since):
            pause.show(distillation, since, away)
            pause.come_again(message, since)
            return
        if Job.load(job.id).provider_job_id is None:
            leave_nothing(trainer or trainer_named(job.trainer), job)
            _fail(job, JobFailure(code="trainer_away", message=f"The trainer stayed away: {away}"))
    aws.events().enable_rule(Name=settings().WATCH_RULE)
    advance = AdvanceDistillation(distillation_id=distillation.id)
    bus.send(advance)


def give_up(dataset_id: str, reason: str) -> None:
    """Have the distillation of the dataset fail, since its job could not be started."""
    dataset = Dataset.find(dataset_id)
    if dataset is None:
        return
    message = f"The fine-tuning job could not be started: {reason}."
    failed = StepFailed(
        distillation_id=dataset.distillation_id, during="assembling", code="start_failed", message=message
    )
    bus.send(failed)


def _settled(trainer: Trainer, job: Job, dataset: Dataset) -> bool:
    """Start the job unless it has started. False if a cancellation came first, True otherwise, also if refused."""
    if job.provider_job_id or job.ended:
        return True
    # Read once more now that the intent is written: a cancellation that comes later finds the intent.
    distillation = Distillation.load(job.distillation_id)
    if distillation.status in TERMINAL:
        end_unstarted(trainer, job)
        return False
    _start_at(trainer, job, distillation, dataset)
    return True


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
        started = trainer.find(job.id) or _started(trainer, job, _training(job, distillation, dataset))
    except TrainerRefused as refusal:
        leave_nothing(trainer, job)
        _fail(job, JobFailure(code=refusal.code, message=str(refusal)))
        return
    _record(job, started)


def _started(trainer: Trainer, job: Job, training: Training) -> ProviderJob:
    """Check the order, then start the job. Raises TrainerRefused with what the trainer would not take."""
    problems = trainer.check(training)
    if problems:
        events = [TrainerEvent(f"problem-{problem}", now(), str(problem), "error") for problem in problems]
        keep_events(job, events[:_TOLD], since=0)
        more = f", and {len(problems) - 1} more: see the job's events" if len(problems) > 1 else ""
        raise TrainerRefused(f"The trainer would not take this: {problems[0]}{more}.", "invalid_training_data")
    job.change({"estimate": trainer.estimate(training)})
    return trainer.start(training)


def _fail(job: Job, error: JobFailure) -> None:
    note(job, "failed", f"Not started: {error.message}")
    ended = {"status": "failed", "error": error, "finished_at": now()}
    job.change(ended, where={"status": job.status, "provider_job_id": None})


def _training(job: Job, distillation: Distillation, dataset: Dataset) -> Training:
    validation = TrainingFile.at(dataset.key("validation.jsonl"))
    return Training(
        intent=job.id,
        model=job.model,
        train=TrainingFile.at(dataset.key("train.jsonl")),
        validation=validation if validation.size else None,
        hyperparameters=job.hyperparameters,
        seed=job.seed,
        suffix=_suffix(distillation.name),
        card=dataset.card,
    )


def _suffix(name: str) -> str:
    kept = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower())
    return kept.strip("-")[:_SUFFIX_LENGTH].strip("-") or "stillhouse"


def _record(job: Job, started: ProviderJob) -> None:
    table.put({"pk": OPEN, "sk": job.id})
    note(job, "created", f"Created at the trainer as {started.id}.")
    job.change({"provider_job_id": started.id})
