"""A provider's limits hold for all workers together, and what it asks one of them to wait, all of them wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from foundation import aws, table
from foundation.loop import run
from providers import OverLimit, ProviderAway
from providers.pace import Limits, Pace
from tests.cloud import Cloud


class Asked:
    """Calls at a provider: when each began, and how many were at work together."""

    def __init__(self, seconds: float = 0.05) -> None:
        self.seconds = seconds
        self.times: list[float] = []
        self.at_once = self.most = 0

    async def call(self, pace: Pace, *, within_s: float = 20.0) -> None:
        async with pace.turn(time.time() + within_s):
            self.times.append(time.time())
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            await asyncio.sleep(self.seconds)
            self.at_once -= 1

    def all(self, *paces: Pace, calls: int, within_s: float = 20.0) -> list[Any]:
        async def work() -> list[Any]:
            coming = [self.call(pace, within_s=within_s) for pace in paces for _ in range(calls)]
            return await asyncio.gather(*coming, return_exceptions=True)

        return run(work())


@pytest.fixture
def writes(cloud: Cloud) -> Iterator[list[str]]:
    """Each write to the table."""
    made: list[str] = []
    for operation in ("PutItem", "UpdateItem"):
        cloud.on(aws.dynamodb(), f"before-call.dynamodb.{operation}", lambda model, **_: made.append(model.name))
    return made


def workers(count: int, **limits: Any) -> list[Pace]:
    return [Pace("acme", Limits(**limits)) for _ in range(count)]


def held() -> str:
    row = table.get("PACE", "acme")
    assert row is not None
    return str(row["held"])


def test_workers_together_never_have_more_calls_at_work_than_the_limit(cloud: Cloud) -> None:
    assert cloud
    asked = Asked()
    assert not any(asked.all(*workers(4, concurrency=7), calls=10))
    assert len(asked.times) == 40
    assert 4 <= asked.most <= 7
    assert held() == "{}", "who has nothing left to ask gives back"


def test_workers_together_ask_no_faster_than_the_rate(cloud: Cloud) -> None:
    assert cloud
    asked = Asked(0.0)
    assert not any(asked.all(*workers(3, requests_per_second=20, concurrency=0), calls=20))
    times = sorted(asked.times)
    assert len(times) == 60
    took = times[-1] - times[0]
    # On a busy machine the first call is late and the last is not; three workers without a common rate take a third.
    assert took > 59 / 20 * 0.7, "59 intervals of a twentieth of a second"
    in_a_second = max(sum(start <= time_ < start + 1 for time_ in times) for start in times)
    assert in_a_second <= 20 * 1.5


def test_a_chunk_of_calls_costs_a_few_writes(cloud: Cloud, writes: list[str]) -> None:
    assert cloud
    (pace,) = workers(1, requests_per_second=1000, concurrency=50)
    assert not any(Asked(0.01).all(pace, calls=50))
    assert len(writes) <= 5, "a new row, a lease, its return, a stretch of the schedule"


def test_a_worker_that_was_killed_keeps_its_slots_no_longer_than_it_could_have_lived(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cloud
    dead, alive = workers(2, concurrency=3)
    monkeypatch.setattr(dead, "_give_back", lambda: None)
    asked = Asked(0.0)
    asked.all(dead, calls=3, within_s=1.0)
    assert held() != "{}"
    (lost,) = asked.all(alive, calls=1, within_s=1.2)
    assert isinstance(lost, OverLimit)
    began = time.time()
    assert not any(asked.all(alive, calls=3, within_s=20.0))
    assert time.time() - began < 1.0 + 3.0 + 1.5


def test_what_the_provider_asks_one_to_wait_all_wait(cloud: Cloud) -> None:
    assert cloud
    first, second = workers(2)
    asked = Asked(0.0)
    asked.all(first, second, calls=1)
    asked_at = time.time()
    first.wait(2.0)
    second._looked = 0.0
    asked.all(second, calls=5)
    assert min(asked.times[2:]) >= asked_at + 2.0


def test_a_long_wait_sends_everybody_home_at_once(cloud: Cloud) -> None:
    assert cloud
    first, second = workers(2)
    asked = Asked(0.0)
    asked.all(first, calls=1)
    first.wait(3600)
    began = time.time()
    refusals = asked.all(second, calls=50)
    assert time.time() - began < 1
    assert all(isinstance(refusal, ProviderAway) and not isinstance(refusal, OverLimit) for refusal in refusals)
    # The time that is left is a difference of times, whose last digits are lost.
    assert 3500 < refusals[0].retry_after <= 3600.001


def test_a_storm_of_refusals_is_told_once(cloud: Cloud, writes: list[str]) -> None:
    assert cloud
    (pace,) = workers(1)
    Asked(0.0).all(pace, calls=1)
    writes.clear()
    for _ in range(50):
        pace.wait(5)
        pace.wait(0.02)
    assert len(writes) == 1


def test_a_rate_that_has_no_room_before_the_deadline_is_over_the_limit(cloud: Cloud) -> None:
    assert cloud
    (pace,) = workers(1, requests_per_second=0.5, concurrency=0)
    ended = Asked(0.0).all(pace, calls=3, within_s=1.0)
    assert [type(error) for error in ended] == [type(None), OverLimit, OverLimit]


def test_an_answer_is_not_lost_where_its_slot_cannot_be_given_back(cloud: Cloud) -> None:
    (pace,) = workers(1)
    asked = Asked(0.0)

    async def work() -> None:
        async with pace.turn(time.time() + 5):
            cloud.lose_call(aws.dynamodb(), "GetItem", number=1)
            asked.times.append(time.time())

    run(work())
    assert asked.times
