"""What holds a distillation up behind its gate: leaks of test rows in its dataset, or a job that would cost too much.

In: a distillation with its dataset and its job, as far as they exist. Out: what the distillation shows while it is
blocked. An approval is written to what was held; the card of the dataset then asks for the job's start again.
"""

from __future__ import annotations

from typing import Any

from distillations.dataset import Dataset
from distillations.distillation import Distillation
from distillations.job import Job
from distillations.plan import Plan


def changes_by(plan: Plan | None, dataset: Dataset | None, job: Job | None) -> dict[str, Any] | None:
    """What changes where something is held: the reasons, and that an earlier approval does not count. Else None."""
    if plan is None:
        return None
    if dataset and dataset.held:
        return _blocked(plan, {"reasons": dataset.held})
    if job and job.held:
        cost = job.estimate.cost_usd if job.estimate else None
        return _blocked(plan, {"reasons": job.held, "estimated_cost_usd": cost})
    return None


def _blocked(plan: Plan, changes: dict[str, Any]) -> dict[str, Any]:
    return {"plan": plan.model_copy(update={**changes, "approved_at": None}), "approved_at": None}


def approve(distillation: Distillation) -> None:
    """Let what is held of an approved distillation go on."""
    dataset = Dataset.find(distillation.dataset_id) if distillation.dataset_id else None
    if dataset and dataset.held:
        dataset.change({"held": []})
    job = Job.find(distillation.job_id) if distillation.job_id else None
    if job and job.held:
        job.change({"held": [], "approved_at": distillation.approved_at})
