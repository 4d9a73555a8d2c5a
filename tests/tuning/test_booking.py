"""A training is booked by its estimate until it has ended, and then by what it has cost."""

from __future__ import annotations

import pytest

from distillations.job import Estimate
from providers.spending import month_of, spending
from tests.distilling.build import AT
from tests.flow.system import System
from tests.tuning.conftest import Scripted, opened, tick
from tuning.booking import book_end, book_nothing, book_start
from tuning.trainers import ProviderJob


def booked() -> tuple[float, int]:
    month = spending(month_of(AT))
    return month.trainings_usd, month.unpriced


@pytest.mark.parametrize(
    ("status", "cost", "estimate", "expected"),
    [
        ("succeeded", 2.0, 3.0, (2.0, 0)),
        ("succeeded", None, 3.0, (3.0, 0)),
        ("succeeded", None, None, (0.0, 1)),
        ("failed", None, 3.0, (0.0, 1)),
        ("cancelled", 0.5, 3.0, (0.5, 0)),
    ],
)
def test_the_end_says_more_than_the_estimate(
    status: str, cost: float | None, estimate: float | None, expected: tuple[float, int], system: System
) -> None:
    assert system
    job = opened(status=status, cost_usd=cost, estimate=Estimate(cost_usd=estimate))
    book_start(job, Estimate(cost_usd=estimate), AT)
    assert booked() == ((estimate or 0.0), int(estimate is None))
    book_end(job)
    assert booked() == expected


def test_what_did_not_start_has_cost_nothing(system: System) -> None:
    assert system
    job = opened(provider_job_id=None)
    book_start(job, Estimate(cost_usd=3.0), AT)
    book_nothing(job)
    book_end(job)
    assert booked() == (0.0, 0)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_what_was_about_to_start_and_ended_has_cost_what_nobody_knows(status: str, system: System) -> None:
    assert system
    job = opened(provider_job_id=None, status=status)
    book_start(job, Estimate(cost_usd=3.0), AT)
    tick(Scripted())
    assert booked() == (0.0, 1)


def test_the_watcher_books_a_job_that_has_ended(system: System, trainer: Scripted) -> None:
    assert system
    opened(status="running")
    trainer.jobs["theirs"] = ProviderJob("theirs", "failed", cost_usd=0.75)
    tick(trainer)
    assert booked() == (0.75, 0)
