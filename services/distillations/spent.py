"""What a distillation has cost so far.

In: a distillation. Out: what its jobs and its runs came to, as far as prices are known.
"""

from __future__ import annotations

from distillations.costs import DistillationCosts
from distillations.dataset import Dataset
from distillations.distillation import Distillation
from distillations.job import Job
from evals.run import Run
from providers.prices import cost_nanodollars


def spent_so_far(distillation: Distillation) -> DistillationCosts:
    """What it has cost so far, all its attempts together."""
    jobs = _jobs(distillation)
    return DistillationCosts(
        training_estimate_usd=_sum([job.estimate.cost_usd if job.estimate else None for job in jobs]),
        training_usd=_sum([job.cost_usd for job in jobs]),
        evals_usd=_evals_usd(distillation),
    )


def _jobs(distillation: Distillation) -> list[Job]:
    return [job for job_id in distillation.job_ids if (job := Job.find(job_id))]


def _sum(costs: list[float | None]) -> float | None:
    """The sum, to a hundredth of a cent; None where one of them is not known, or there is none."""
    known = [cost for cost in costs if cost is not None]
    return round(sum(known), 4) if known and len(known) == len(costs) else None


def _evals_usd(distillation: Distillation) -> float | None:
    dataset = Dataset.find(distillation.dataset_id or "")
    # A run that was taken over from another dataset has cost nothing here: that one has paid for it.
    graded = [needed.run_id for needed in dataset.runs if needed.run_id and needed.cost_usd != 0] if dataset else []
    runs = [run for run_id in (*distillation.run_ids, *graded) if (run := Run.find(run_id))]
    costs = [cost_nanodollars(paid) for run in runs if (paid := run.paid())]
    known = [cost for cost in costs if cost is not None]
    return sum(known) / 1e9 if len(known) == len(costs) else None
