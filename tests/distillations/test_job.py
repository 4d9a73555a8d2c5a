"""The states of a job, and what may follow each."""

from __future__ import annotations

from typing import get_args

from distillations.job import FOLLOWING, Job, JobStatus

STATES = set(get_args(JobStatus.__value__))


def job(status: JobStatus) -> Job:
    wanted = {"distillation_id": "d", "dataset_id": "d", "trainer": "default", "model": "small", "seed": 1}
    return Job(id="ftjob-1", created_at=1, status=status, **wanted)


def test_every_state_is_in_the_table_and_leads_to_another() -> None:
    assert set(FOLLOWING) == STATES
    assert all(following <= STATES - {state} for state, following in FOLLOWING.items())


def test_an_end_is_final_and_every_other_state_may_end() -> None:
    ends = {state for state in FOLLOWING if job(state).ended}
    assert ends == {"succeeded", "failed", "cancelled"}
    for state in STATES:
        assert {end for end in ends if job(state).may_become(end)} == (set() if state in ends else ends)


def test_a_job_that_trains_may_wait_again_but_is_not_validated_again() -> None:
    assert job("running").may_become("queued")
    assert not job("running").may_become("validating_files")
