"""Hold a job to what it may cost, before it starts: its own budget or its distillation's, and the month's cap.

In: a job and its trainer's estimate. Out: the estimate, booked; the job may start. Raises OverBudget with the reasons
where it would cost more than it may, or where nobody knows; nothing is booked then. An approval settles the budget, and
a cost that nobody knows. It does not settle the cap, which only its owner can raise.
"""

from __future__ import annotations

from completions.sources import StoredCompletions
from distillations.distillation import Distillation
from distillations.job import Estimate, Job
from foundation.errors import StillhouseError
from foundation.ids import now
from providers import prices
from providers.spending import Spending, cost_settings, spending
from tuning.booking import book_nothing, book_start


class OverBudget(StillhouseError):
    """The training would cost more than it may: `reasons` has a sentence for each limit."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


def reserve(job: Job, estimate: Estimate) -> None:
    """Book the estimate, unless that goes over a limit.

    It is booked before the month is summed: of two jobs that start at once, both see each other.
    """
    book_start(job, estimate, now())
    distillation = Distillation.load(job.distillation_id) if job.distillation_id else None
    limit = distillation.gate.max_cost_usd if distillation else job.max_cost_usd
    approved = distillation is not None and _is_approved(job, distillation)
    reasons = [] if approved else _over_gate(estimate, limit)
    if cost_settings().monthly_cap_usd is not None:
        reasons += _over_cap(estimate, spending(), approved=approved)
    if reasons:
        book_nothing(job)
        raise OverBudget(reasons)


def _is_approved(job: Job, distillation: Distillation) -> bool:
    """Whether somebody has approved the cost: of the job, or of a plan that was blocked because of its cost.

    The plan of a dataset that was there stops at no cost where a price is known: to approve it does not settle that.
    """
    if job.approved_at is not None:
        return True
    limit, plan = distillation.gate.max_cost_usd, distillation.plan
    if distillation.approved_at is None or limit is None or plan is None:
        return False
    if plan.estimated_cost_usd is not None:
        return plan.estimated_cost_usd > limit
    counted = isinstance(distillation.training_source, StoredCompletions)
    return counted or prices.training_nanodollars(distillation.student) is None


def _over_gate(estimate: Estimate, limit: float | None) -> list[str]:
    if limit is None:
        return []
    if estimate.cost_usd is None:
        return [f"The trainer does not know what the training will cost: the budget of ${limit:.2f} cannot be checked."]
    if estimate.cost_usd <= limit:
        return []
    return [f"The trainer estimates the training at ${estimate.cost_usd:.2f}, above the budget of ${limit:.2f}."]


def _over_cap(estimate: Estimate, spent: Spending, *, approved: bool) -> list[str]:
    """The reasons that the month's cap gives; the estimate is in what is spent."""
    cap, cost = spent.monthly_cap_usd or 0.0, estimate.cost_usd
    if spent.total_usd > cap or (cost is None and spent.left_usd == 0):
        known = "" if cost is None else f", at ${cost:.2f},"
        total = f"{spent.month} comes to ${spent.total_usd:.2f}, above the cap of ${cap:.2f} a month"
        remedy = "Raise it (POST /v1/costs) or wait until the month has ended, then approve."
        return [f"With this training{known} {total}. {remedy}"]
    if cost is None and not approved:
        unknown = (
            f"The trainer does not know what the training will cost: the cap of ${cap:.2f} a month cannot be kept."
        )
        return [f"{unknown} Add what a token costs in training to the stack's Prices."]
    return []
