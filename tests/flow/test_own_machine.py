"""The whole loop with a person in it: the set is fetched, trained on elsewhere, and the model named."""

from __future__ import annotations

import httpx
from openai import OpenAI

from foundation import blobs
from tests.flow import loop
from tests.flow.system import CONSUMERS, System
from tests.tuning.conftest import tick


def trained_by_hand(system: System, folder: str) -> str:
    """What a person does: fetches the set, trains, and has the model answer. Here the lab is their machine."""
    with OpenAI(base_url=f"{system.lab}/v1", api_key="any") as theirs:
        file = theirs.files.create(file=("mine.jsonl", blobs.get(f"{folder}/train.jsonl")), purpose="fine-tune")
        job = theirs.fine_tuning.jobs.create(model=loop.STUDENT, training_file=file.id, suffix="mine")
        while not job.fine_tuned_model:
            job = theirs.fine_tuning.jobs.retrieve(job.id)
            assert job.status not in {"failed", "cancelled"}
    return job.fine_tuned_model


def delivered(system: System) -> None:
    """Deliver until nothing moves. The clock stands still: a job that waits for a person keeps it running."""
    while sum(system.deliver(name) for name in CONSUMERS):
        pass


def test_a_model_that_a_person_trained_goes_to_its_verdict(system: System) -> None:
    loop.capture(system, "own")
    asked = loop.distill(system, "own", trainer="file", hyperparameters={"n_epochs": 2})
    delivered(system)
    if loop.fetched(system, asked["id"])["status"] == "blocked":
        system.ok("POST", f"/v1/distillations/{asked['id']}/approve")
        delivered(system)
    tick()
    waiting = loop.fetched(system, asked["id"])
    job = system.ok("GET", f"/v1/fine_tuning/jobs/{waiting['job_id']}")
    assert (waiting["status"], job["status"], job["state"]) == ("training", "running", "waiting_for_model")
    assert "stillhouse model add" in job["to_do"]
    tick()
    delivered(system)
    told = [note for note in system.notifications() if note.get("type") == "fine_tuning.job.waiting_for_model"]
    assert [note["object_id"] for note in told] == [job["id"]]

    model = trained_by_hand(system, f"tuning/{job['id']}")
    named = {"id": model, "base": loop.STUDENT, "job_id": job["id"]}
    assert system.ok("POST", "/v1/models", named)["job_id"] == job["id"]

    ended = loop.completed(system, asked["id"])
    assert (ended["model"], ended["verdict"]["outcome"]) == (model, "beats_baseline")
    assert httpx.get(f"{system.lab}/v1/fine_tuning/jobs?metadata[stillhouse_intent]={job['id']}").json()["data"] == []
    nodes = system.ok("GET", f"/v1/lineage/{model}")["nodes"]
    assert {"dataset", "job", "run", "verdict"} <= {node["kind"] for node in nodes}
