"""From the gate to the models: each attempt has a job, and one that fails ends no other."""

from __future__ import annotations

from typing import Any

import pytest

from distillations.attempts import Attempt, job_id_of
from distillations.distillation import Distillation
from distilling.advance import advance, resend
from tests.distillations import documents
from tests.distilling import build
from tests.flow.system import System

JOBS = ("ftjob-a", "ftjob-b")


def asked(status: str, **fields: Any) -> Distillation:
    attempts = [Attempt(student="small", hyperparameters={"n_epochs": 1 + n}, job_id=job) for n, job in enumerate(JOBS)]
    made = {"dataset_id": "dataset_1", "job_id": JOBS[0], "attempts": attempts, "plan": documents.plan()}
    return build.distillation(status, **{**made, **fields})


def jobs(distillation: Distillation, *states: dict[str, Any]) -> None:
    for job_id, fields in zip(JOBS, states, strict=False):
        build.job(distillation.model_copy(update={"job_id": job_id}), **fields)


STARTED, HELD = {"provider_job_id": "x"}, {"held": ["too much"], "attempts_cost_usd": 14.0}
FAILED = {"status": "failed", "error": {"code": "bad", "message": "bad line 7"}}


def test_every_order_becomes_an_attempt_with_a_job(system: System) -> None:
    distillation = build.distillation(
        "blocked", approved_at=1, plan=documents.plan(), students=["a", "b"], hyperparameters=[{}, {"n_epochs": 2}]
    )
    advance(distillation.id)
    moved = Distillation.load(distillation.id)
    assert [(attempt.student, attempt.hyperparameters) for attempt in moved.attempts] == moved.orders
    assert [attempt.job_id for attempt in moved.attempts] == [
        job_id_of(moved.dataset_id or "", number) for number in range(4)
    ]
    assert moved.job_id == moved.attempts[0].job_id
    assert len(build.sent(system, "ASSEMBLY")) == 1, "all learn from one set"


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ((STARTED,), "assembling"),
        ((STARTED, {}), "assembling"),
        ((STARTED, STARTED), "training"),
        ((FAILED, STARTED), "training"),
        ((FAILED, FAILED), "failed"),
        ((STARTED, HELD), "blocked"),
        ((FAILED, HELD), "blocked"),
    ],
)
def test_it_trains_once_each_job_has_started_or_failed(
    states: tuple[dict[str, Any], ...],
    status: str,
    system: System,  # noqa: ARG001
) -> None:
    distillation = asked("assembling")
    build.dataset(distillation)
    jobs(distillation, *states)
    advance(distillation.id)
    moved = Distillation.load(distillation.id)
    assert moved.status == status
    if status == "blocked":
        assert moved.plan
        assert (moved.plan.reasons, moved.plan.estimated_cost_usd) == (["too much"], 14.0)


def test_it_waits_for_the_last_job_to_end(system: System) -> None:  # noqa: ARG001
    distillation = asked("training")
    jobs(
        distillation, {**STARTED, "status": "succeeded", "fine_tuned_model": "ft:one"}, {**STARTED, "status": "running"}
    )
    advance(distillation.id)
    assert Distillation.load(distillation.id).status == "training"


def test_what_is_asked_for_again_is_all_jobs_and_once_it_is_over_their_end(system: System) -> None:
    distillation = asked("training")
    build.dataset(distillation)
    build.sent(system, "TUNING")
    resend(distillation.id)
    assert [message["dataset_id"] for message in build.sent(system, "TUNING")] == ["dataset_1"]
    distillation.change({"status": "cancelled"})
    resend(distillation.id)
    assert [message["job_id"] for message in build.sent(system, "TUNING")] == list(JOBS)
