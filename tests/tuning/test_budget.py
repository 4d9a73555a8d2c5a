"""A job that would cost more than it may is held before it starts, and blocks its distillation until it is approved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from distillations.attempts import Attempt
from distillations.dataset import DatasetId
from distillations.distillation import Distillation
from distillations.job import Estimate, Job
from distilling.advance import advance
from foundation.events import StartJob
from foundation.ids import now
from providers.spending import CostSettings, book, spending
from tests.distillations import documents
from tests.flow.system import System
from tests.tuning.conftest import Scripted, starting
from tuning.start import start
from tuning.trainers import TrainerAway, TrainerRefused

type Landed = Callable[..., Distillation]


@dataclass
class Priced(Scripted):
    """A trainer that knows what a training costs, or does not."""

    usd: float | None = 7.0

    def estimate(self, _: Any) -> Estimate:
        return Estimate(cost_usd=self.usd)


@pytest.fixture
def priced() -> Priced:
    return Priced()


def limited(landed: Landed, limit: float | None = None, **fields: Any) -> Distillation:
    return landed(gate={"max_cost_usd": limit}, plan=documents.plan(**fields.pop("plan", {})), **fields)


def cap(usd: float | None) -> None:
    settings = CostSettings(id="costs", created_at=1)
    settings.create()
    settings.change({"monthly_cap_usd": usd})


def asked(distillation: Distillation, trainer: Scripted, context: Any) -> Job:
    start(starting(distillation), context, trainer)
    return Job.load(distillation.job_id or "")


def advanced(distillation: Distillation) -> Distillation:
    advance(distillation.id)
    return Distillation.load(distillation.id)


@pytest.mark.parametrize(
    ("limits", "usd", "words"),
    [
        ((7.0, 7.0, 0.0), 7.0, []),
        ((6.99, None, 0.0), 7.0, ["The trainer estimates the training at $7.00, above the budget of $6.99."]),
        ((5.0, None, 0.0), None, ["the budget of $5.00 cannot be checked"]),
        ((None, 10.0, 3.01), 7.0, ["comes to $10.01, above the cap of $10.00 a month"]),
        ((None, 10.0, 3.0), 7.0, []),
        ((None, 10.0, 3.0), None, ["the cap of $10.00 a month cannot be kept"]),
        ((None, 10.0, 10.0), None, ["comes to $10.00, above the cap"]),
        ((1.0, 2.0, 0.0), 7.0, ["above the budget of $1.00", "above the cap of $2.00"]),
        ((None, None, 500.0), None, []),
    ],
)
def test_a_job_is_held_to_each_limit(
    limits: tuple[float | None, float | None, float],
    usd: float | None,
    words: list[str],
    landed: Landed,
    context: Any,
) -> None:
    """`limits` are the distillation's budget, the month's cap, and what the month has cost before."""
    limit, month, spent = limits
    priced = Priced(usd=usd)
    cap(month)
    book("eval", "evalrun_1", now(), round(spent * 1e9))
    job = asked(limited(landed, limit), priced, context)
    assert len(job.held) == len(words)
    assert all(word in reason for word, reason in zip(words, job.held, strict=True))
    assert len(priced.started) == (0 if words else 1)
    assert spending().trainings_usd == (0 if words else usd or 0)


def test_it_is_blocked_until_it_is_approved_and_then_it_starts(
    system: System, landed: Landed, priced: Priced, context: Any
) -> None:
    distillation = limited(landed, 5.0)
    asked(distillation, priced, context)
    blocked = advanced(distillation)
    assert (blocked.status, blocked.plan and blocked.plan.estimated_cost_usd) == ("blocked", 7.0)
    assert blocked.plan
    assert "estimates the training at $7.00" in blocked.plan.reasons[0]
    assert asked(distillation, priced, context).provider_job_id is None, "a late message starts nothing"
    system.ok("POST", f"/v1/distillations/{distillation.id}/approve")
    assert advanced(distillation).status == "assembling"
    assert asked(distillation, priced, context).provider_job_id == "theirs-1"
    assert advanced(distillation).status == "training"
    assert spending().trainings_usd == 7.0


def test_an_approval_settles_no_cap_and_what_is_blocked_again_is_told_again(
    system: System, landed: Landed, priced: Priced, context: Any
) -> None:
    cap(5.0)
    distillation = limited(landed)
    for _ in range(2):
        asked(distillation, priced, context)
        assert advanced(distillation).status == "blocked"
        system.ok("POST", f"/v1/distillations/{distillation.id}/approve")
        while system.deliver("NOTIFY"):
            pass
        assert advanced(distillation).status == "assembling"
    assert len({notice["id"] for notice in system.notifications() if notice["type"] == "blocked"}) == 2
    cap(7.0)
    assert asked(distillation, priced, context).provider_job_id


def test_who_approved_a_plan_over_budget_is_not_asked_again(landed: Landed, priced: Priced, context: Any) -> None:
    over = limited(landed, 5.0, approved_at=1, plan={"estimated_cost_usd": 6.0})
    assert asked(over, priced, context).provider_job_id


@pytest.mark.parametrize("price", [None, 3])
def test_an_approval_settles_a_dataset_s_cost_only_where_the_plan_has_stopped_at_it(
    price: int | None, landed: Landed, priced: Priced, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuning.budget.prices.training_nanodollars", lambda _: price)
    train = DatasetId(type="dataset", id="dataset_1")
    distillation = limited(landed, 5.0, approved_at=1, plan={"estimated_cost_usd": None}, train=train)
    assert bool(asked(distillation, priced, context).held) == (price is not None)


def test_an_approval_for_another_reason_settles_no_budget(landed: Landed, priced: Priced, context: Any) -> None:
    distillation = limited(landed, 5.0, approved_at=1, plan={"estimated_cost_usd": 3.0})
    assert asked(distillation, priced, context).held
    assert advanced(distillation).approved_at is None


def test_what_the_trainer_refuses_after_all_has_cost_nothing(landed: Landed, priced: Priced, context: Any) -> None:
    priced.fails = TrainerRefused("no such model")
    assert asked(limited(landed), priced, context).status == "failed"
    assert spending().total_usd == 0


def test_what_may_start_later_stays_booked(landed: Landed, priced: Priced, context: Any) -> None:
    priced.fails = TrainerAway("busy")
    asked(limited(landed), priced, context)
    assert spending().total_usd == 7.0


def test_a_held_job_of_a_cancelled_distillation_ends(
    system: System, landed: Landed, priced: Priced, context: Any
) -> None:
    distillation = limited(landed, 5.0)
    asked(distillation, priced, context)
    advanced(distillation)
    system.ok("POST", f"/v1/distillations/{distillation.id}/cancel")
    system.settle()
    assert Job.load(distillation.job_id or "").status == "cancelled"


def attempts(*jobs: str) -> list[Attempt]:
    return [Attempt(student="lab-small", hyperparameters={}, job_id=job) for job in jobs]


def started(distillation: Distillation, priced: Priced, context: Any) -> list[Job]:
    """Have all jobs of the dataset started, one after the other."""
    start(starting(distillation), context, priced)
    for attempt in distillation.attempts:
        start(StartJob(job_id=attempt.job_id), context, priced)
    return [Job.load(attempt.job_id) for attempt in distillation.attempts]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ((14.0, 14.0), None),
        ((13.99, None), "The trainer estimates the 2 trainings at $14.00, above the budget of $13.99."),
        ((None, 13.99), "With these 2 trainings, at $14.00,"),
    ],
)
def test_all_attempts_are_held_to_a_limit_together(
    limits: tuple[float | None, float | None], words: str | None, landed: Landed, priced: Priced, context: Any
) -> None:
    limit, month = limits
    cap(month)
    distillation = limited(landed, limit, attempts=attempts("ftjob-a", "ftjob-b"))
    jobs = started(distillation, priced, context)
    assert len(priced.started) == (0 if words else 2)
    assert spending().trainings_usd == (0 if words else 14.0)
    assert all(words in job.held[0] if words else not job.held for job in jobs)


def test_one_approval_lets_all_attempts_go_on(system: System, landed: Landed, priced: Priced, context: Any) -> None:
    distillation = limited(landed, 13.0, attempts=attempts("ftjob-a", "ftjob-b"))
    start(starting(distillation), context, priced)
    start(StartJob(job_id="ftjob-b"), context, priced)
    blocked = advanced(distillation)
    assert (blocked.status, blocked.plan and blocked.plan.estimated_cost_usd) == ("blocked", 14.0)
    start(StartJob(job_id="ftjob-a"), context, priced)
    assert not priced.started, "what comes late is held, too"
    system.ok("POST", f"/v1/distillations/{distillation.id}/approve")
    assert advanced(distillation).status == "assembling"
    started(distillation, priced, context)
    assert len(priced.started) == 2
    assert advanced(distillation).status == "training"
