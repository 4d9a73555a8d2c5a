"""Hold a job to what it may cost, before it starts: its own budget or its distillation's, and the month's cap.

In: a job and its order. Out: the trainer's estimate, booked; the job may start. Raises OverBudget with the reasons
where it would cost more than it may, or where nobody knows; nothing is booked then. The attempts of a distillation are
held to its limits together, so that none starts where all of them cost too much. An approval settles the budget, and
a cost that nobody knows. It does not settle the cap, which only its owner can raise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from completions.sources import StoredCompletions
from distillations.distillation import Distillation
from distillations.job import Estimate, Job
from foundation.errors import StillhouseError
from foundation.ids import now
from providers import prices
from providers.spending import Spending, cost_settings, spending
from tuning.booking import book_nothing, book_start
from tuning.trainers import Trainer, Training


class OverBudget(StillhouseError):
    """The training would cost more than it may: `reasons` has a sentence for each limit.

    `cost_usd` is what it was thought to cost, with the other attempts of its distillation; None where nobody knows.
    """

    def __init__(self, reasons: list[str], cost_usd: float | None) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons
        self.cost_usd = cost_usd


@dataclass(frozen=True)
class _Together:
    """What all attempts of a distillation cost: how many there are, their estimate, and what of it is booked nowhere.

    `cost_usd` is None where nobody knows it.
    """

    count: int
    cost_usd: float | None
    unbooked_usd: float

    @property
    def noun(self) -> str:
        return "the training" if self.count == 1 else f"the {self.count} trainings"


def reserve(job: Job, trainer: Trainer, training: Training) -> None:
    """Book the estimate, unless that goes over a limit, with all attempts of its distillation counted.

    It is booked before the month is summed: of two jobs that start at once, both see each other.
    """
    estimate = trainer.estimate(training)
    book_start(job, estimate, now())
    distillation = Distillation.load(job.distillation_id) if job.distillation_id else None
    together = _together(estimate, _others(job, distillation, trainer, training))
    limit = distillation.gate.max_cost_usd if distillation else job.max_cost_usd
    approved = distillation is not None and _is_approved(job, distillation)
    reasons = [] if approved else _over_gate(together, limit)
    if cost_settings().monthly_cap_usd is not None:
        reasons += _over_cap(together, spending(), approved=approved)
    if reasons:
        book_nothing(job)
        raise OverBudget(reasons, together.cost_usd)


def _others(
    job: Job, distillation: Distillation | None, trainer: Trainer, training: Training
) -> list[tuple[Estimate, Job | None]]:
    """The estimates of the other attempts of the distillation, each with its job."""
    others = [
        attempt
        for attempt in (distillation.attempts if distillation else ())
        if attempt.step is None and attempt.job_id != job.id
    ]
    orders = [replace(training, model=one.student, hyperparameters=one.hyperparameters) for one in others]
    return [(trainer.estimate(order), Job.find(one.job_id)) for one, order in zip(others, orders, strict=True)]


def _together(estimate: Estimate, others: list[tuple[Estimate, Job | None]]) -> _Together:
    """The jobs are read before the month is summed: what is booked in between counts twice rather than not at all."""
    costs = [estimate.cost_usd, *(other.cost_usd for other, _ in others)]
    known = [cost for cost in costs if cost is not None]
    waiting = [other.cost_usd or 0.0 for other, job in others if job is None or not (job.booked_at or job.ended)]
    return _Together(len(costs), sum(known) if len(known) == len(costs) else None, sum(waiting))


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
    return counted or any(prices.training_nanodollars(order.student) is None for order in distillation.orders)


def _over_gate(together: _Together, limit: float | None) -> list[str]:
    if limit is None:
        return []
    cost = together.cost_usd
    if cost is None:
        return [f"The trainer does not know what {together.noun} will cost: {_the_budget(limit)} cannot be checked."]
    if cost <= limit:
        return []
    return [f"The trainer estimates {together.noun} at ${cost:.2f}, above {_the_budget(limit)}."]


def _the_budget(limit: float) -> str:
    return f"the budget of ${limit:.2f}"


def _over_cap(together: _Together, spent: Spending, *, approved: bool) -> list[str]:
    """The reasons that the month's cap gives; the estimates are in what is spent, but for those that are not booked."""
    cap, cost = spent.monthly_cap_usd or 0.0, together.cost_usd
    coming = spent.total_usd + together.unbooked_usd
    if coming > cap or (cost is None and spent.left_usd == 0):
        known = "" if cost is None else f", at ${cost:.2f},"
        what = "this training" if together.count == 1 else f"these {together.count} trainings"
        total = f"{spent.month} comes to ${coming:.2f}, above the cap of ${cap:.2f} a month"
        remedy = "Raise it (POST /v1/costs) or wait until the month has ended, then approve."
        return [f"With {what}{known} {total}. {remedy}"]
    if cost is None and not approved:
        unknown = (
            f"The trainer does not know what {together.noun} will cost: the cap of ${cap:.2f} a month cannot be kept."
        )
        return [f"{unknown} Add what a token costs in training to the stack's Prices."]
    return []
