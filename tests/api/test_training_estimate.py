"""What a training will take, through the API: by the price list, and by how long earlier ones took."""

from __future__ import annotations

from typing import Any

import pytest

from distillations.job import Job
from foundation.ids import now
from tests.flow import loop
from tests.flow.system import System


def estimate(system: System, query: str) -> dict[str, Any]:
    answer: dict[str, Any] = system.ok("GET", f"/v1/fine_tuning/estimate?{query}")
    return answer


def trained(number: int, seconds: int, tokens: int | None, **fields: Any) -> None:
    made = {"status": "succeeded", "trainer": "default", "trained_tokens": tokens, **fields}
    at = now() - 1000 + number
    Job(id=f"ftjob-{number}", created_at=at, model="m", seed=1, finished_at=at + seconds, **made).create()


def test_dollars_come_from_the_price_list_and_minutes_from_earlier_trainings(system: System) -> None:
    asked = f"model={loop.STUDENT}&tokens=1000000"
    first = estimate(system, asked)
    assert (first["minutes"], first["minutes_from"], first["tokens"]) == (None, 0, 1_000_000)
    trained(1, 60, 1000)
    trained(2, 600, 1000)
    trained(3, 120, 1000)
    trained(4, 9999, 10, trainer="together")
    trained(5, 9999, 10, status="failed")
    trained(6, 9999, None)
    again = estimate(system, f"{asked}&n_epochs=2")
    assert (again["minutes"], again["minutes_from"], again["epochs"]) == (120 / 1000 * 1_000_000 * 2 / 60, 3, 2)
    assert estimate(system, "model=gpt-4.1-mini&tokens=1000000&n_epochs=2")["cost_usd"] == 10.0
    assert (again["cost_usd"], again["model"]) == (None, loop.STUDENT)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("tokens=5", "model"),
        ("model=m", "tokens"),
        ("model=m&tokens=0", "tokens"),
        ("model=m&tokens=99999999999999999999", "tokens"),
        ("model=m&tokens=5&n_epochs=many", "n_epochs"),
        ("model=m&tokens=5&trainer=nobody", "trainer"),
        ("model=m&tokens=5&epoch=1", "epoch"),
    ],
)
def test_what_cannot_be_estimated_is_named(system: System, query: str, param: str) -> None:
    status, answer = system.call("GET", f"/v1/fine_tuning/estimate?{query}")
    assert (status, answer["error"]["param"]) == (400, param)
