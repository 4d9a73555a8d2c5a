"""What cannot be started after all is told to whoever waits for it."""

from __future__ import annotations

from typing import Any

import pytest

from distillations.job import OPEN_JOBS, Job
from foundation import table
from foundation.events import StartJob
from tests.distilling import build
from tests.flow.system import System
from tuning.start import give_up


def by_itself(**fields: Any) -> Job:
    job = Job(
        id="ftjob-1",
        created_at=build.AT,
        training_file="file-1",
        trainer="default",
        model="lab-small",
        seed=1,
        status="validating_files",
        **fields,
    )
    job.create()
    return job


def test_a_job_that_nobody_else_waits_for_fails(system: System) -> None:
    job = by_itself()
    give_up(StartJob(job_id=job.id), "it was tried too often")
    failed = Job.load(job.id)
    assert failed.error
    assert (failed.status, failed.error.code) == ("failed", "start_failed")
    assert "it was tried too often" in failed.error.message
    assert ([row["sk"] for row in table.query(OPEN_JOBS)], system.clock_runs()) == ([job.id], True)
    system.settle()
    assert (list(table.query(OPEN_JOBS)), system.clock_runs()) == ([], False)


@pytest.mark.parametrize("fields", [{"provider_job_id": "theirs"}, {"finished_at": 1}], ids=str)
def test_one_that_has_begun_or_ended_meanwhile_stays(fields: dict[str, Any], system: System) -> None:  # noqa: ARG001
    job = by_itself(**fields)
    if "finished_at" in fields:
        job.change({"status": "cancelled"})
    before = Job.load(job.id)
    give_up(StartJob(job_id=job.id), "why")
    assert Job.load(job.id) == before


def test_a_distillation_is_told(system: System) -> None:
    distillation = build.distillation("assembling", dataset_id="dataset_1", job_id="ftjob-2")
    build.dataset(distillation)
    give_up(StartJob(dataset_id="dataset_1"), "why")
    give_up(StartJob(dataset_id="dataset_unknown"), "why")
    [told] = build.sent(system, "DISTILLING")
    assert (told["type"], told["distillation_id"], told["code"]) == ("StepFailed", distillation.id, "start_failed")
