"""What a finished distillation leaves behind, as the API and the SDK show it."""

from __future__ import annotations

import httpx

from foundation import blobs
from tests.api.sdk import client_of
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import System


def test_a_finished_distillation_can_be_followed_to_everything_it_made(system: System) -> None:
    loop.capture(system, "art")
    ended = loop.completed(system, loop.distill(system, "art")["id"])

    with client_of(system) as client:
        frozen = client.files.retrieve(ended["test_file_id"])
        assert (frozen.id, frozen.object) == (ended["test_file_id"], "file")
        job = client.fine_tuning.jobs.retrieve(ended["job_id"])
        assert (job.status, job.fine_tuned_model, job.model) == ("succeeded", ended["model"], loop.STUDENT)
        events = client.fine_tuning.jobs.list_events(ended["job_id"]).data
        assert events
        assert [event.created_at for event in events] == sorted((event.created_at for event in events), reverse=True)

    dataset_id = ended["dataset_id"]
    dataset = system.ok("GET", f"/v1/datasets/{dataset_id}")
    card = system.ok("GET", f"/v1/datasets/{dataset_id}/card")
    assert (dataset["status"], dataset["card"], card["id"]) == ("ready", card, dataset_id)
    assert [dataset["id"] for dataset in system.ok("GET", "/v1/datasets")["data"]] == [dataset_id]
    assert card["rows"] == card["train_rows"] + card["validation_rows"] == 30

    for path in (f"/v1/datasets/{dataset_id}/content", f"/v1/files/{ended['test_file_id']}/content"):
        status, _ = system.call("GET", path)
        assert status == 307
        link = httpx.URL(system.headers["location"])
        assert link.params["X-Amz-Expires" if "X-Amz-Expires" in link.params else "Expires"]
        key = link.path.removeprefix("/bucket/").removeprefix("/")
        assert blobs.get(key).count(b"\n") >= 12

    made = system.ok("GET", f"/v1/lineage/{ended['model']}?limit=10")
    assert (made["completions"]["total"], len(made["completions"]["data"])) == (30, 10)
    assert made["completions"]["has_more"] is True
    used = system.ok("GET", "/v1/lineage/chatcmpl-art-4")
    ids_by_kind = {node["kind"]: node["id"] for node in used["nodes"]}
    # Beside the model that was asked, those that the trainer kept on its way to it.
    assert ended["model"] in {node["id"] for node in used["nodes"] if node["kind"] == "model"}
    assert ids_by_kind["job"] == ended["job_id"]
    assert ids_by_kind["verdict"] == ended["verdict"]["id"]
    known = {node["id"] for node in used["nodes"]}
    assert all(edge["from"] in known and edge["to"] in known for edge in used["edges"])


def test_a_completion_that_went_nowhere_stands_alone(system: System) -> None:
    loop.capture(system, "alone", train=1, test=0)
    graph = system.ok("GET", "/v1/lineage/chatcmpl-alone-0")
    assert [(node["id"], node["kind"]) for node in graph["nodes"]] == [("chatcmpl-alone-0", "completion")]
    assert graph["edges"] == []
    assert graph["completions"]["total"] == 0


def test_a_completion_with_an_id_of_its_own_kind_stands_alone_too(system: System) -> None:
    record = loop.record(1, split="train", tag="gen")
    record["response"]["id"] = "gen-1700000000-abc"
    system.ok("POST", "/v1/captures", record)
    system.settle()
    assert system.ok("GET", "/v1/lineage/gen-1700000000-abc")["nodes"][0]["kind"] == "completion"


def test_a_dataset_that_failed_has_a_lineage_without_completions(system: System) -> None:
    distillation = build.distillation("failed", dataset_id="dataset_1")
    build.dataset(distillation, status="failed", card=None, error={"code": "too_few_examples", "message": "Too few."})
    for object_id in (distillation.id, "dataset_1"):
        graph = system.ok("GET", f"/v1/lineage/{object_id}")
        assert [node["id"] for node in graph["nodes"]] == [object_id]
        assert graph["completions"]["data"] == []


def test_what_is_unknown_is_not_found(system: System) -> None:
    for path, param in {
        "/v1/files/file-nobody": "file_id",
        "/v1/files/file-nobody/content": "file_id",
        "/v1/datasets/nobody": "dataset_id",
        "/v1/datasets/nobody/card": "dataset_id",
        "/v1/fine_tuning/jobs/nobody": "fine_tuning_job_id",
        "/v1/fine_tuning/jobs/nobody/events": "fine_tuning_job_id",
        "/v1/lineage/nobody": "id",
        "/v1/lineage/chatcmpl-nobody": "id",
    }.items():
        status, refusal = system.call("GET", path)
        assert (status, refusal["error"]["param"], refusal["error"]["code"]) == (404, param, "not_found"), path
