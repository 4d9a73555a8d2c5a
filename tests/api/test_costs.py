"""The costs of a month over HTTP, and what is refused once they have come to their cap."""

from __future__ import annotations

from typing import Any

import pytest

from distillations.distillation import Distillation
from distillations.spent import spent_so_far
from evals.counts import ChunkCounts, ResultCounts
from evals.run import Run
from foundation.ids import now
from grading.ended import end
from providers.spending import book
from providers.usage import ModelUsage
from tests.distilling import build
from tests.flow.system import System

USED = ModelUsage(model_name="gpt-4o", invocation_count=1, prompt_tokens=1_000_000, completion_tokens=0)


def spent(system: System) -> dict[str, Any]:
    shown: dict[str, Any] = system.ok("GET", "/v1/costs")["spending"]
    return shown


def ended(usage: list[ModelUsage], number: int = 1) -> Run:
    run = build.run(build.distillation("measuring", number=number), "teacher")
    run.change({"created_at": now()})
    end(Run.load(run.id), status="completed", per_model_usage=[use.model_dump() for use in usage])
    return run


def test_a_run_is_booked_at_its_end_and_once(system: System) -> None:
    run = ended([USED])
    end(Run.load(run.id), status="completed")
    assert (spent(system)["evals_usd"], spent(system)["unpriced"]) == (2.5, 0)
    assert system.ok("GET", "/v1/usage")["spending"] == spent(system)


@pytest.mark.parametrize("status", ["canceled", "failed"])
def test_a_run_that_was_stopped_is_booked_by_what_was_graded_of_it(system: System, status: str) -> None:
    run = build.run(build.distillation("measuring"), "teacher")
    run.change({"created_at": now()})
    ChunkCounts(chunk=0, chunks=2, first_row=0, counts=ResultCounts(), usage=[USED], criteria=[]).write_once(run.id)
    end(Run.load(run.id), status=status)
    assert spent(system)["evals_usd"] == 2.5
    assert system.ok("GET", f"/v1/evals/{run.eval_id}/runs/{run.id}")["cost_usd"] == 2.5
    assert spent_so_far(Distillation.load(run.distillation_id or "")).evals_usd == 2.5


def test_a_run_of_a_rollout_is_booked_with_its_round_and_no_event_tells_of_it(system: System) -> None:
    run = build.run(build.distillation("completed"), "teacher", rollout_id="rollout_1")
    run.change({"created_at": now()})
    end(Run.load(run.id), status="completed", per_model_usage=[USED.model_dump()])
    assert (spent(system)["evals_usd"], spent(system)["rollouts_usd"]) == (0, 0)
    assert build.sent(system, "NOTIFY") == []


def test_a_run_that_paid_for_nothing_is_not_booked_and_one_without_a_price_is_counted(system: System) -> None:
    ended([])
    assert spent(system)["unpriced"] == 0
    ended([USED, USED.model_copy(update={"model_name": "somebody's"})], number=2)
    assert (spent(system)["evals_usd"], spent(system)["unpriced"]) == (0, 1)


def test_what_was_set_stays_until_it_is_set_otherwise(system: System) -> None:
    before = system.ok("GET", "/v1/costs")
    assert (before["spending"]["monthly_cap_usd"], before["retire_lost_after_days"]) == (None, None)
    system.ok("POST", "/v1/costs", {"monthly_cap_usd": 12.5})
    both = system.ok("POST", "/v1/costs", {"retire_lost_after_days": 30})
    assert (both["spending"]["monthly_cap_usd"], both["retire_lost_after_days"]) == (12.5, 30)
    assert system.ok("POST", "/v1/costs", {}) == both
    neither = system.ok("POST", "/v1/costs", {"monthly_cap_usd": None, "retire_lost_after_days": None})
    assert neither == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("monthly_cap_usd", -1),
        ("monthly_cap_usd", "10"),
        ("retire_lost_after_days", 7),
        ("retire_lost_after_days", 8.5),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(field: str, value: Any, system: System) -> None:
    status, refusal = system.call("POST", "/v1/costs", {field: value})
    assert (status, refusal["error"]["param"]) == (400, field)


@pytest.mark.parametrize("month", ["2026", "2026-13", "2026-1", "now", "2026-11-01"])
def test_a_month_that_is_none_is_refused(month: str, system: System) -> None:
    status, refusal = system.call("GET", f"/v1/costs?month={month}")
    assert (status, refusal["error"]["param"]) == (400, "month")
    assert system.ok("GET", "/v1/costs?month=2026-01")["spending"]["total_usd"] == 0


def test_at_the_cap_runs_and_distillations_are_refused_and_people_told_once(system: System) -> None:
    system.ok("POST", "/v1/costs", {"monthly_cap_usd": 2})
    book("training", "ftjob-1", now(), 1_000_000_000)
    asked: dict[str, Any] = {
        "data_source": {"type": "jsonl", "source": {"type": "file_content", "content": [{"item": {}}]}}
    }
    ended([])
    assert system.call("POST", "/v1/evals/eval_1/runs", asked)[0] == 201
    ended([USED], number=2)
    ended([], number=3)
    for path, body in (("/v1/evals/eval_1/runs", asked), ("/v1/distillations", NEW)):
        status, refusal = system.call("POST", path, body)
        assert (status, refusal["error"]["code"]) == (400, "monthly_cap_reached")
        assert "have cost $3.50" in refusal["error"]["message"]
    system.settle()
    told = [notice for notice in system.notifications() if notice["type"] == "spending.cap_reached"]
    assert [notice["object_id"] for notice in told] == [spent(system)["month"]]
    assert "the cap is $2.00" in told[0]["sentence"]
    system.ok("POST", "/v1/costs", {"monthly_cap_usd": None})
    assert system.call("POST", "/v1/evals/eval_1/runs", asked)[0] == 201


NEW = {
    "name": "n",
    "eval_id": "eval_1",
    "test": build.source("test"),
    "train": build.source("train"),
    "teacher": "lab-large",
    "student": "lab-small",
}
