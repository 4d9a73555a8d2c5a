"""What holds a distillation up behind its gate: leaks of test rows in its dataset, or jobs that would cost too much.

In: a distillation with its dataset and its jobs, as far as they exist. Out: what the distillation shows while it is
blocked. An approval is written to what was held; the card of the dataset then asks for the jobs' start again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from distillations.dataset import Dataset
from distillations.distillation import Distillation
from distillations.job import Job
from distillations.plan import Plan


def changes_by(plan: Plan | None, dataset: Dataset | None, jobs: Iterable[Job]) -> dict[str, Any] | None:
    """What changes where something is held: the reasons, and that an earlier approval does not count. Else None."""
    if plan is None:
        return None
    if dataset and dataset.held:
        return _blocked(plan, {"reasons": dataset.held})
    job = next((job for job in jobs if job.held and not job.ended), None)
    return _blocked(plan, {"reasons": job.held, "estimated_cost_usd": job.attempts_cost_usd}) if job else None


def _blocked(plan: Plan, changes: dict[str, Any]) -> dict[str, Any]:
    return {"plan": plan.model_copy(update={**changes, "approved_at": None}), "approved_at": None}


def approve(distillation: Distillation) -> None:
    """Let what is held of an approved distillation go on."""
    dataset = Dataset.find(distillation.dataset_id) if distillation.dataset_id else None
    if dataset and dataset.held:
        dataset.change({"held": []})
    jobs = [job for job_id in distillation.job_ids if (job := Job.find(job_id))]
    if any(job.held for job in jobs):
        # Those that nobody has looked at yet would be held for the same reasons.
        for job in jobs:
            job.change({"held": [], "approved_at": distillation.approved_at}, where={"provider_job_id": None})
