"""What a distilled model saves, by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from distillations.costs import DistillationCosts
from distillations.deciding.saving import counted_of, requests_per_month, saving_of
from distillations.report.document import CountedTraffic, ProductionTraffic
from distillations.verdict_parts import Saving

DAY = 86_400


def with_count(traffic: ProductionTraffic, *, rows: int, seconds: int) -> ProductionTraffic:
    return traffic.model_copy(update={"counted": CountedTraffic(rows=rows, seconds=seconds)})


def traffic(rows: int, days: float) -> ProductionTraffic:
    return ProductionTraffic(rows=rows, begins_at=0, ends_at=round(days * DAY), in_training=0)


def saving(**given: Any) -> Saving:
    costs = {"training_estimate_usd": None, "training_usd": 6.0, "evals_usd": 2.0, **given.pop("costs", {})}
    figures = {
        "teacher_nanodollars": 5_000_000.0,
        "distilled_nanodollars": 1_000_000.0,
        "idle_usd": 0.0,
        "traffic": traffic(1001, 10),
        **given,
    }
    return saving_of(costs=DistillationCosts(**costs), **figures)


def test_the_figures_by_hand() -> None:
    # A request saves 0.4 cents: 8 dollars are back after 2,000. 100 requests a day are 3,000 a month.
    assert saving() == Saving(
        usd_per_1000=4.0,
        training_usd=6.0,
        evals_usd=2.0,
        idle_usd_per_month=0.0,
        requests_per_month=3000,
        counted=CountedTraffic(rows=1001, seconds=864_000),
        usd_per_month=12.0,
        break_even_requests=2000,
        break_even_months=8 / 0.004 / 3000,
    )


def test_a_model_that_costs_unasked_takes_longer() -> None:
    # 12 dollars a month less 9: 8 dollars take 8/3 months of 3,000 requests.
    slow = saving(idle_usd=9.0)
    assert (slow.usd_per_month, slow.break_even_requests) == (3.0, 8000)
    assert slow.break_even_months == pytest.approx(8 / 3)


@pytest.mark.parametrize(
    "given",
    [
        {"idle_usd": 12.0},
        {"idle_usd": 12.01},
        {"distilled_nanodollars": 5_000_000.0},
        {"distilled_nanodollars": 9e6},
        {"distilled_nanodollars": math.nextafter(5e6, 0)},
        {"idle_usd": math.nextafter(12.0, 0)},
        {"idle_usd": 1.0, "traffic": None},
        {"idle_usd": None},
        {"costs": {"training_usd": None}},
        {"costs": {"evals_usd": None}},
        {"teacher_nanodollars": None},
    ],
)
def test_what_never_pays_or_is_not_known_has_no_break_even(given: dict[str, Any]) -> None:
    assert (saving(**given).break_even_requests, saving(**given).break_even_months) == (None, None)


def test_a_dearer_model_saves_less_than_nothing() -> None:
    assert saving(distilled_nanodollars=6e6).usd_per_1000 == -1.0
    assert saving(distilled_nanodollars=6e6).usd_per_month == -3.0


def test_without_a_volume_the_requests_are_known_and_no_month_is() -> None:
    even = saving(traffic=None)
    assert (even.break_even_requests, even.break_even_months, even.usd_per_month) == (2000, None, None)


@pytest.mark.parametrize(
    ("captured", "requests"),
    [
        (None, None),
        (traffic(2, 1), 30),
        (traffic(2, 0.99), None),
        (traffic(1, 3), None),
        (with_count(traffic(5000, 0.01), rows=100_001, seconds=86_400), 3_000_000),
        (with_count(traffic(5000, 60), rows=12_001, seconds=172_800), 180_000),
        (traffic(5000, 60), 2500),
        (ProductionTraffic(rows=5, begins_at=None, ends_at=None, in_training=0), None),
    ],
)
def test_a_volume_is_the_rate_of_a_day_or_more(captured: ProductionTraffic | None, requests: int | None) -> None:
    assert requests_per_month(counted_of(captured)) == requests
