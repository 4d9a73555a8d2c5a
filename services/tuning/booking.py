"""Book what a training costs: its estimate when it starts, what is known of it when it has ended.

A training that succeeded and whose cost nobody knows keeps its estimate; one that failed or was cancelled does not.
What a job costs is not known, either, where it was about to start and nobody knows whether it did.
"""

from __future__ import annotations

from distillations.job import Estimate, Job
from notifications.spending_cap import tell_if_reached
from providers import spending


def book_start(job: Job, estimate: Estimate, at: int) -> None:
    """Book the estimate of a job that is about to start, in the month of `at`: the next one sees it as spent."""
    job.change({"estimate": estimate, "booked_at": at})
    spending.book("training", job.id, at, _nanodollars(estimate.cost_usd))


def book_nothing(job: Job) -> None:
    """Take back what was booked for a job that did not start."""
    booked_at = Job.load(job.id).booked_at
    if booked_at is not None:
        spending.book("training", job.id, booked_at, 0)
        job.change({"booked_at": None})


def book_unknown(job: Job) -> None:
    """Book that nobody knows what a job costs that was about to start; of one that was not, nothing is booked."""
    booked_at = Job.load(job.id).booked_at
    if booked_at is not None:
        spending.book("training", job.id, booked_at, None)


def book_end(job: Job) -> None:
    """Book what a job has cost that was started, or was about to start, and has ended."""
    if not job.provider_job_id and job.booked_at is None:
        return
    cost = job.cost_usd
    if cost is None and job.status == "succeeded" and job.estimate:
        cost = job.estimate.cost_usd
    spending.book("training", job.id, job.booked_at or job.created_at, _nanodollars(cost))
    tell_if_reached()


def _nanodollars(usd: float | None) -> int | None:
    return None if usd is None else round(usd * 1e9)
