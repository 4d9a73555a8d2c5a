"""The steps from the gate to a distilled model: the training set, the jobs of all attempts, the model that goes on.

Jobs are started by the card of the dataset that lands. One that fails ends its attempt alone: the distillation fails
where no attempt has a model.
"""

from __future__ import annotations

from collections.abc import Sequence

from distillations import lineage
from distillations.attempts import Attempt, job_id_of
from distillations.dataset import CANCELLED, Dataset
from distillations.distillation import Distillation
from distillations.job import Job
from distillations.lineage import Node
from distillations.plan import Plan
from distilling import choosing, held, runs
from distilling.transition import Transition, eval_deleted, failed
from evals.eval import Eval
from foundation.events import AssembleDataset, CancelJob, DistillationBlocked, StartJob, Work
from foundation.ids import derived_id
from foundation.later import begin_again


def assemble(distillation: Distillation, plan: Plan) -> Transition:
    """Have the training set made, from which all attempts learn."""
    made = derived_id("dataset_", distillation.id, distillation.training_source.model_dump_json())
    dataset_id = distillation.dataset_id or made
    attempts = distillation.attempts or [
        Attempt(job_id=job_id_of(dataset_id, number), **order._asdict())
        for number, order in enumerate(distillation.orders)
    ]
    lineage.link([(Node("distillation", distillation.id), Node("dataset", dataset_id))])
    changes = {"plan": plan, "dataset_id": dataset_id, "job_id": attempts[0].job_id, "attempts": attempts}
    return Transition("assembling", changes, [_assembly(distillation, dataset_id)])


def await_job(distillation: Distillation) -> Transition | None:
    """Wait until the dataset is assembled and each job has started or failed; fail where all have.

    A dataset with leaks, and jobs that would cost more than they may, are held and block the distillation.
    """
    dataset = Dataset.find(distillation.dataset_id or "")
    if dataset and dataset.error:
        return failed(distillation, dataset.error.code, dataset.error.message)
    jobs = [job for job_id in distillation.job_ids if (job := Job.find(job_id))]
    if len(jobs) == len(distillation.job_ids):
        if all(job.status == "failed" for job in jobs):
            return _all_failed(distillation, jobs)
        if all(job.provider_job_id or job.ended for job in jobs):
            return Transition("training", {}, [])
    blocked = held.changes_by(distillation.plan, dataset, jobs)
    return Transition("blocked", blocked, [DistillationBlocked(distillation_id=distillation.id)]) if blocked else None


def await_model(distillation: Distillation) -> Transition | None:
    """Wait until each job has ended; then run the distilled model, or first compare several; fail where there is none.

    What a model that is trained costs until the last job has ended, its deployment, is the price of comparing.
    """
    jobs = {job_id: Job.load(job_id) for job_id in distillation.job_ids}
    if not all(job.ended for job in jobs.values()):
        return None
    attempts = choosing.trained(distillation, jobs)
    if not any(attempt.model for attempt in attempts):
        return _all_failed(distillation, list(jobs.values()))
    if Eval.find(distillation.eval_id) is None:
        return eval_deleted(distillation)
    return choosing.go_on(distillation, attempts)


def stop(distillation: Distillation) -> list[Work]:
    """What has all its jobs stopped."""
    return [CancelJob(job_id=job_id, correlation_id=distillation.id) for job_id in distillation.job_ids]


def stop_dataset(distillation: Distillation) -> list[Work]:
    """Let the training set end that is being made; what announces the end of the run that graded its rows."""
    dataset = Dataset.find(distillation.dataset_id) if distillation.dataset_id else None
    graded = dataset.give_up(CANCELLED, "Its distillation has ended.") if dataset else []
    return [runs.plan(distillation, run.id) for run in graded]


def owed(distillation: Distillation) -> list[Work]:
    """What has the dataset made, and then its jobs started, once more."""
    dataset = Dataset.find(distillation.dataset_id or "")
    if dataset is None or dataset.is_open:
        return [_assembly(distillation, distillation.dataset_id or "")]
    for waiting in (dataset.id, *distillation.job_ids):
        begin_again(waiting)
    # A job that has started is not started again: this makes sure that it is watched.
    return [StartJob(dataset_id=dataset.id)] if dataset.status == "ready" and not dataset.held else []


def _assembly(distillation: Distillation, dataset_id: str) -> AssembleDataset:
    return AssembleDataset(distillation_id=distillation.id, dataset_id=dataset_id)


def _all_failed(distillation: Distillation, jobs: Sequence[Job]) -> Transition:
    """The end where no job has made a model: the words of the first, and how many others there were."""
    first = jobs[0]
    message = first.error.message if first.error else f"The fine-tuning job ended as {first.status}."
    others = f" None of the other {len(jobs) - 1} attempts has a model, either." if len(jobs) > 1 else ""
    return failed(distillation, "job_failed", f"The fine-tuning job {first.id} failed: {message}{others}")
