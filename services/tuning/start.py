"""Start a fine-tuning job: that of a dataset, or one of uploaded files. Once, whatever is redelivered.

In: `StartJob`. Where several attempts learn from a dataset, each has a job and a message of its own. The job's id is
its intent and travels to the trainer; after a crash or a doubtful answer the trainer is asked for it before anything is
started. What the trainer is known to refuse is found before it is asked, and told line by line among the job's events.
A refusal ends the job as failed, a cancellation that comes first ends it as cancelled; neither is ever open. While the
trainer is away the message comes again later, until the patience is over.
"""

from __future__ import annotations

from typing import Any

from distillations import lineage
from distillations.attempts import Attempt
from distillations.dataset import Dataset
from distillations.distillation import TERMINAL, Distillation
from distillations.job import OPEN_JOBS, Job, JobFailure
from distillations.lineage import Node
from foundation import aws, bus, lease, table
from foundation.events import AdvanceDistillation, StartJob, StepFailed
from foundation.ids import now
from foundation.later import patience_over
from foundation.settings import settings
from tuning import pause
from tuning.budget import OverBudget, reserve
from tuning.jobs import LEASE, doubt, end_unstarted, fail_unstarted, have_watched, leave_nothing, leave_unknown, note
from tuning.order import suffix_of, training_of
from tuning.problems import of_uploads, refusal_of
from tuning.telling import keep_events
from tuning.trainers import (
    ProviderJob,
    Trainer,
    TrainerAway,
    TrainerEvent,
    TrainerRefused,
    Training,
    UnknownState,
    trainer_named,
)

_TOLD = 20
_CODE = "start_failed"


def start(message: StartJob, context: Any, trainer: Trainer | None = None) -> None:
    """Start the job of the dataset, or the one that is named; of several of a dataset have each started."""
    jobs = _of_dataset(message.dataset_id) if message.dataset_id else [Job.find(message.job_id or "")]
    if len(jobs) > 1:
        bus.send_all(StartJob(job_id=job.id, correlation_id=job.distillation_id or "") for job in jobs if job)
        return
    job = next(iter(jobs), None)
    if job is None:
        return
    try:
        with lease.held(job.id, LEASE, context):
            if not _settled(trainer or trainer_named(job.trainer), Job.load(job.id)):
                return
    except TrainerAway as away:
        since = pause.away_since(job) or now()
        if not patience_over(since):
            pause.show(job, since, away)
            pause.come_again(message, since)
            return
        _end_waiting(trainer or trainer_named(job.trainer), Job.load(job.id), away)
    aws.events().enable_rule(Name=settings().WATCH_RULE)
    if job.distillation_id:
        bus.send(AdvanceDistillation(distillation_id=job.distillation_id))


def give_up(message: StartJob, reason: str) -> None:
    """Fail a job that could not be started, or the distillation that waits for it."""
    told = f"The fine-tuning job could not be started: {reason}."
    job = Job.find(message.job_id) if message.job_id else None
    if job and not job.ended and not job.provider_job_id:
        # The watcher deletes what may lie at the trainer.
        have_watched(job)
        doubt(job)
        fail_unstarted(job, JobFailure(code=_CODE, message=told))
    dataset = Dataset.find(message.dataset_id) if message.dataset_id else None
    if dataset:
        failed = StepFailed(distillation_id=dataset.distillation_id, during="assembling", code=_CODE, message=told)
        bus.send(failed)


def _end_waiting(trainer: Trainer, job: Job, away: TrainerAway) -> None:
    """Fail a job whose trainer stayed away, unless it was started meanwhile.

    Where the trainer was asked to start it, the job may run there: an answer can be lost, or a state be unknown here.
    """
    if job.provider_job_id is not None:
        return
    message = f"The trainer stayed away: {away}"
    if job.booked_at is not None:
        message += " The job may run there all the same, and cost."
    leave_unknown(trainer, job)
    fail_unstarted(job, JobFailure(code=away.code, message=message))


def _of_dataset(dataset_id: str) -> list[Job | None]:
    """The jobs of a dataset, each written down as an intent; none where its distillation is over."""
    dataset = Dataset.load(dataset_id)
    distillation = Distillation.find(dataset.distillation_id or "")
    if distillation is None or distillation.status in TERMINAL:
        return []
    return [_intent(distillation, dataset, attempt) for attempt in distillation.attempts if attempt.step is None]


def _settled(trainer: Trainer, job: Job) -> bool:
    """Start the job unless it has started. False if a cancellation came first, True otherwise, also if refused.

    The job, and its distillation, are read after the intent is written: a cancellation that comes later finds it.
    """
    if job.provider_job_id or job.ended:
        return True
    distillation = Distillation.load(job.distillation_id) if job.distillation_id else None
    if job.cancel_requested_at or (distillation and distillation.status in TERMINAL):
        end_unstarted(trainer, job, may_run=True)
        return False
    # A job that is held starts once its distillation is approved, whatever comes late meanwhile.
    if distillation is None or distillation.status != "blocked":
        _start_at(trainer, job)
    return True


def _intent(distillation: Distillation, dataset: Dataset, attempt: Attempt) -> Job:
    job = Job(
        id=attempt.job_id,
        created_at=now(),
        distillation_id=distillation.id,
        dataset_id=dataset.id,
        trainer=distillation.trainer,
        model=attempt.student,
        hyperparameters=attempt.hyperparameters,
        method=dataset.method,
        seed=distillation.seed,
        suffix=suffix_of(distillation.name),
    )
    job.create()
    lineage.link([(Node("dataset", dataset.id), Node("job", job.id))])
    return job


def _start_at(trainer: Trainer, job: Job) -> None:
    try:
        started = _found_or_started(trainer, job)
    except OverBudget as over:
        _hold(trainer, job, over)
    except TrainerRefused as refusal:
        leave_nothing(trainer, job)
        fail_unstarted(job, JobFailure(code=refusal.code, message=str(refusal), param=refusal.param))
    else:
        _record(job, started)


def _found_or_started(trainer: Trainer, job: Job) -> ProviderJob:
    """The job at the trainer. One in a state that nobody knows is there all the same, and is followed."""
    try:
        return trainer.find(job.id) or _started(trainer, job, training_of(job))
    except UnknownState as unknown:
        if not unknown.job_id:
            raise
        return ProviderJob(unknown.job_id, "queued")


def _hold(trainer: Trainer, job: Job, over: OverBudget) -> None:
    """Let the job wait for its distillation's approval; fail it where there is nobody to approve."""
    if job.distillation_id:
        job.change({"held": over.reasons, "attempts_cost_usd": over.cost_usd})
        return
    leave_nothing(trainer, job)
    fail_unstarted(job, JobFailure(code="over_budget", message=str(over), param="max_cost_usd"))


def _started(trainer: Trainer, job: Job, training: Training) -> ProviderJob:
    """Check the order and what it costs, then start the job.

    Raises TrainerRefused with what the trainer would not take, and OverBudget.
    """
    problems = trainer.check(training)
    if job.training_file:
        problems = of_uploads(problems)
    if problems:
        events = [TrainerEvent(f"problem-{problem}", now(), str(problem), "error") for problem in problems]
        keep_events(job, events[:_TOLD], since=0)
        raise refusal_of(problems)
    reserve(job, trainer, training)
    return trainer.start(training)


def _record(job: Job, started: ProviderJob) -> None:
    table.put({"pk": OPEN_JOBS, "sk": job.id})
    note(job, "created", f"Created at the trainer as {started.id}.")
    job.change({"provider_job_id": started.id, "away": None})
