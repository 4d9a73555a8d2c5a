"""What a distillation costs: when its job is held because of it, and what it came to.

In: a distillation and its job. Out: what changes with a step. An approval is written to the job, whose start is asked
for again by the card of its dataset.
"""

from __future__ import annotations

from typing import Any

from distillations.costs import DistillationCosts
from distillations.distillation import Distillation
from distillations.job import Job
from distillations.plan import Plan
from evals.run import Run
from providers.prices import cost_nanodollars


def held(plan: Plan, job: Job) -> dict[str, Any]:
    """What a distillation shows whose job is held: the job's reasons, and that an earlier approval does not count."""
    estimated = job.estimate.cost_usd if job.estimate else None
    changes = {"reasons": job.held, "estimated_cost_usd": estimated, "approved_at": None}
    return {"plan": plan.model_copy(update=changes), "approved_at": None}


def approve(distillation: Distillation) -> None:
    """Let the held job of an approved distillation go on."""
    job = Job.find(distillation.job_id) if distillation.job_id else None
    if job and job.held:
        job.change({"held": [], "approved_at": distillation.approved_at})


def of(distillation: Distillation) -> DistillationCosts:
    """What it has cost so far."""
    job = Job.find(distillation.job_id or "")
    return DistillationCosts(
        training_estimate_usd=job.estimate.cost_usd if job and job.estimate else None,
        training_usd=job.cost_usd if job else None,
        evals_usd=_evals_usd(distillation),
    )


def _evals_usd(distillation: Distillation) -> float | None:
    runs = [run for run_id in distillation.run_ids if (run := Run.find(run_id))]
    costs = [cost_nanodollars(run.per_model_usage) for run in runs if run.per_model_usage]
    known = [cost for cost in costs if cost is not None]
    return sum(known) / 1e9 if len(known) == len(costs) else None
