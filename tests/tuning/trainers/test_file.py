"""The trainer that writes files for a person: what it writes, what it says, and how long it waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from distillations import by_hand
from distillations.distillation import Distillation
from distillations.job import OPEN_JOBS, Job
from foundation import blobs, table
from foundation.events import CancelJob
from tests.flow import loop
from tests.tuning.conftest import example_line, starting, tick
from tuning.cancel import cancel
from tuning.start import start

GIVEN = {"n_epochs": 2, "lora_rank": 8}

pytestmark = pytest.mark.usefixtures("system")


@pytest.fixture
def job(landed: Callable[..., Distillation], context: Any) -> Job:
    distillation = landed(trainer="file", hyperparameters=GIVEN, seed=7)
    blobs.put(f"datasets/{distillation.dataset_id}/validation.jsonl", example_line(1))
    start(starting(distillation), context)
    return Job.load(distillation.job_id or "")


def test_the_set_and_the_recipe_lie_in_the_bucket(job: Job) -> None:
    for split in ("train", "validation"):
        assert blobs.get(f"tuning/{job.id}/{split}.jsonl") == blobs.get(f"datasets/{job.dataset_id}/{split}.jsonl")
    recipe = json.loads(blobs.get(f"tuning/{job.id}/recipe.json"))
    assert (recipe["base"], recipe["hyperparameters"], recipe["seed"]) == (loop.STUDENT, GIVEN, 7)
    assert (recipe["train"], recipe["validation"], recipe["job_id"]) == ("train.jsonl", "validation.jsonl", job.id)
    assert recipe["card"]["rows"]
    assert recipe["method"] == "supervised"


def test_the_job_says_what_to_run_and_no_patience_ends_it(job: Job) -> None:
    table.update(OPEN_JOBS, job.id, {"away_since": 1})
    for _ in range(3):
        tick()
    waiting = Job.load(job.id)
    assert waiting.status == "waiting_for_model"
    told = (waiting.to_do or "").splitlines()
    assert [line.split()[0] for line in told] == ["aws", "uv", "stillhouse"]
    assert all(job.id in line for line in told)
    assert "s3://" in told[0]


def test_it_goes_on_once_the_model_is_named(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("tuning.answering.ask", asked.append)
    tick()
    by_hand.name_model(job.id, "triage-1")
    tick()
    ended = Job.load(job.id)
    assert (ended.status, ended.fine_tuned_model, ended.to_do) == ("succeeded", "triage-1", None)
    assert asked == ["triage-1"]
    assert [key.rpartition("/")[2] for key in blobs.keys(f"tuning/{job.id}/")] == ["recipe.json"]


def test_a_cancellation_ends_the_wait(job: Job, context: Any) -> None:
    tick()
    cancel(CancelJob(job_id=job.id), context)
    tick()
    assert Job.load(job.id).status == "cancelled"
    assert not by_hand.name_model(job.id, "too-late")


def test_a_line_that_it_would_not_take_is_named_before_anything_is_written(
    landed: Callable[..., Distillation], context: Any
) -> None:
    distillation = landed(trainer="file")
    lines = [example_line(0), b'{"messages": []}', b"no json"]
    blobs.put(f"datasets/{distillation.dataset_id}/train.jsonl", b"\n".join(lines))
    start(starting(distillation), context)
    job = Job.load(distillation.job_id or "")
    assert job.error
    assert (job.status, job.error.code) == ("failed", "invalid_training_data")
    assert "train, line 2: messages" in job.error.message
    told = [row["message"] for row in table.query(job.id, prefix="EVENT#THEIRS#")]
    assert any("train, line 3: it is no JSON" in message for message in told)
    assert list(blobs.keys(f"tuning/{job.id}/")) == []
