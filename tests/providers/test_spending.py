"""The book of a month: what is booked twice counts once, what nobody knows counts in no sum."""

from __future__ import annotations

import pytest

from providers import spending
from providers.spending import CostSettings, book, cap_is_reached, month_of
from tests.cloud import Cloud

AT = 1_790_000_000  # 2026-09-21
LAST_OF_SEPTEMBER = 1_790_812_799


@pytest.fixture(autouse=True)
def september(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cloud
    monkeypatch.setattr(spending, "now", lambda: AT)


def cap(usd: float) -> None:
    CostSettings(id="costs", created_at=1, monthly_cap_usd=usd).create()


def test_a_month_is_that_of_utc() -> None:
    assert [month_of(LAST_OF_SEPTEMBER + late) for late in (0, 1)] == ["2026-09", "2026-10"]


def test_what_is_booked_again_is_written_over() -> None:
    book("training", "ftjob-1", AT, 3_000_000_000)
    book("training", "ftjob-1", AT, 2_500_000_000)
    book("training", "ftjob-2", AT, None)
    book("eval", "evalrun_1", AT, 250_000_000)
    book("rollout", "evalrun_3", AT, 125_000_000)
    book("eval", "evalrun_2", LAST_OF_SEPTEMBER + 1, 900_000_000)
    september = spending.spending()
    assert (september.trainings_usd, september.evals_usd, september.rollouts_usd) == (2.5, 0.25, 0.125)
    assert september.total_usd == 2.875
    assert (september.month, september.unpriced, september.left_usd) == ("2026-09", 1, None)
    assert spending.spending("2026-10").total_usd == 0.9
    assert spending.spending("2026-11").total_usd == 0


@pytest.mark.parametrize(
    ("usd", "left", "reached"), [(3.0, 0.25, False), (2.75, 0, True), (1.0, 0, True), (0, 0, True)]
)
def test_the_cap_is_reached_when_nothing_is_left(usd: float, left: float, reached: bool) -> None:
    book("training", "ftjob-1", AT, 2_750_000_000)
    assert cap_is_reached() is None
    cap(usd)
    assert spending.spending().left_usd == left
    assert (cap_is_reached() is not None) is reached
