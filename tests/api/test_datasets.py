"""Datasets through the API: made, looked into row by row, compared, deleted, and trained on."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from api import dataset_diff, new_dataset
from assembly.assemble import assemble
from assembly.make import give_up
from distillations.dataset import Dataset
from distilling.freeze import freeze
from evals.files import File, file_key
from foundation import blobs
from foundation.events import AssembleDataset
from tests.distilling import build
from tests.flow.system import FakeContext, System

SPLITS = ("train", "validation")
STEPS = [{"rule": "truncated"}, {"rule": "duplicates"}]


@pytest.fixture
def filled(system: System) -> System:
    """Twenty mails, one of them twice, one cut off, one contradicted; and a test row that asks what a mail asks."""
    records = [build.record(100 + n, f"mail {n}", split="train") for n in range(20)]
    records += [
        build.record(200, "mail 3", split="train"),
        build.record(201, "cut", split="train", choice={"finish_reason": "length"}),
        build.record(202, "mail 4", "no", split="train"),
        build.record(1, "mail 7"),
    ]
    build.captured(system, records)
    return system


def made(system: System, **asked: Any) -> dict[str, Any]:
    """The dataset, once it is made."""
    name = system.ok("POST", "/v1/datasets", {"source": build.source("train"), **asked})["id"]
    while system.deliver("ASSEMBLY"):
        pass
    return system.ok("GET", f"/v1/datasets/{name}")


def rows(system: System, dataset: dict[str, Any], query: str = "") -> list[str]:
    return [row["id"] for row in system.ok("GET", f"/v1/datasets/{dataset['id']}/rows?limit=100{query}")["data"]]


def test_a_dataset_is_made_and_every_completion_can_be_looked_up(filled: System) -> None:
    dataset = made(filled, held_out=build.source("test"))
    card = filled.ok("GET", f"/v1/datasets/{dataset['id']}/card")
    assert (dataset["status"], dataset["card"], card["selected"], card["rows"]) == ("ready", card, 23, 19)
    assert (dataset["distillation_id"], card["distillation_id"], card["student"]) == (None, None, None)
    assert len(rows(filled, dataset)) == 23
    assert rows(filled, dataset, "&outcome=dropped") == [f"chatcmpl-{n}" for n in (103, 104, 107, 201)]
    [leak] = filled.ok("GET", f"/v1/datasets/{dataset['id']}/rows?rule=test_leaks")["data"]
    assert (leak["id"], leak["evidence"][0]["others"]) == ("chatcmpl-107", ["chatcmpl-1"])
    page = filled.ok("GET", f"/v1/datasets/{dataset['id']}/rows?limit=2&outcome=dropped")
    assert page["has_more"]
    after = filled.ok("GET", f"/v1/datasets/{dataset['id']}/rows?limit=2&outcome=dropped&after={page['last_id']}")
    assert [row["id"] for row in (*page["data"], *after["data"])] == rows(filled, dataset, "&outcome=dropped")
    assert not after["has_more"]
    assert (
        sum(len(blobs.get(f"datasets/{dataset['id']}/{split}.jsonl").splitlines()) for split in SPLITS) == card["rows"]
    )


def test_the_same_completions_and_recipe_are_the_same_dataset(filled: System) -> None:
    first = made(filled, recipe={"steps": STEPS})
    before = blobs.get(f"datasets/{first['id']}/train.jsonl")
    again = made(filled, recipe={"steps": STEPS}, source=[build.source("train"), build.source("train", limit=3)])
    assert again == first
    assert blobs.get(f"datasets/{first['id']}/train.jsonl") == before
    others = [
        made(filled),
        made(filled, recipe={"steps": STEPS, "seed": 7}),
        made(filled, recipe={"steps": STEPS}, dry_run=True),
        made(filled, recipe={"steps": STEPS}, held_out=build.source("test")),
        made(filled, recipe={"steps": STEPS}, source=build.source("train", limit=9)),
    ]
    assert len({first["id"], *(other["id"] for other in others)}) == 6
    assert len(filled.ok("GET", "/v1/datasets")["data"]) == 6


def test_one_that_could_not_be_made_is_made_when_it_is_asked_for_again(filled: System) -> None:
    name = filled.ok("POST", "/v1/datasets", {"source": build.source("train")})["id"]
    build.sent(filled, "ASSEMBLY")
    give_up(name, "it was tried")
    assert filled.ok("GET", f"/v1/datasets/{name}")["error"]["code"] == "assembly_failed"
    again = made(filled)
    assert (again["id"], again["status"], again["error"]) == (name, "ready", None)


def test_a_retry_is_answered_by_what_the_first_attempt_made(filled: System) -> None:
    asked = {"source": build.source("train")}
    status, first = filled.call("POST", "/v1/datasets", asked, headers={"idempotency-key": "k1"})
    build.captured(filled, [build.record(300, "captured between", split="train")])
    again = filled.call("POST", "/v1/datasets", asked, headers={"idempotency-key": "k1"})
    assert (status, again) == (201, (201, first))
    other = filled.call("POST", "/v1/datasets", {**asked, "dry_run": True}, headers={"idempotency-key": "k1"})
    assert (other[0], other[1]["error"]["code"]) == (409, "idempotency_key_reused")
    assert len(filled.ok("GET", "/v1/datasets")["data"]) == 1


def test_a_row_is_found_by_its_completion_and_its_datasets_by_it(filled: System) -> None:
    one = made(filled, held_out=build.source("test"))
    other = made(filled, recipe={"steps": STEPS})
    row = filled.ok("GET", f"/v1/datasets/{one['id']}/rows/chatcmpl-107")
    assert (row["outcome"], row["evidence"][0]["others"]) == ("dropped", ["chatcmpl-1"])
    assert filled.call("GET", f"/v1/datasets/{one['id']}/rows/chatcmpl-1")[0] == 404
    trained_on = filled.ok("GET", "/v1/chat/completions/chatcmpl-105/datasets")["data"]
    assert {found["id"] for found in trained_on} == {one["id"], other["id"]}
    assert all(found["row"]["outcome"] in SPLITS for found in trained_on)
    assert [found["id"] for found in filled.ok("GET", "/v1/chat/completions/chatcmpl-107/datasets")["data"]] == [
        other["id"]
    ]
    index = blobs.get(f"datasets/{other['id']}/rows.index")
    blobs.delete([f"datasets/{other['id']}/rows.index"])
    older = filled.ok("GET", "/v1/chat/completions/chatcmpl-105/datasets")["data"]
    assert {found["id"] for found in older if found["row"] is None} == {other["id"]}
    blobs.put(f"datasets/{other['id']}/rows.index", index)
    filled.ok("DELETE", f"/v1/datasets/{one['id']}")
    page = filled.ok("GET", "/v1/chat/completions/chatcmpl-105/datasets?limit=1")
    rest = filled.ok("GET", f"/v1/chat/completions/chatcmpl-105/datasets?after={page['last_id']}")
    assert page["has_more"]
    rows = {found["id"]: found["row"] for found in (*page["data"], *rest["data"])}
    assert (rows[one["id"]], rows[other["id"]]["id"]) == (None, "chatcmpl-105")


def test_a_dry_run_writes_no_example(filled: System) -> None:
    dataset = made(filled, dry_run=True)
    names = {key.rpartition("/")[2] for key in blobs.keys(f"datasets/{dataset['id']}/")}
    assert (dataset["status"], dataset["card"]["rows"]) == ("ready", 20)
    assert not names & {"train.jsonl", "validation.jsonl", "manifest.jsonl"}
    status, refusal = filled.call("GET", f"/v1/datasets/{dataset['id']}/content")
    assert (status, refusal["error"]["code"]) == (400, "dry_run")
    assert len(rows(filled, dataset)) == 23
    assert filled.ok("GET", "/v1/lineage/chatcmpl-100")["edges"] == []


def test_two_datasets_are_compared_by_completion(filled: System, monkeypatch: pytest.MonkeyPatch) -> None:
    one = made(filled, recipe={"steps": STEPS})
    other = made(filled, recipe={"steps": [*STEPS, {"rule": "balance", "by": "answer", "at_most": 15}]})
    fewer = made(filled, recipe={"steps": STEPS}, source=build.source("train", limit=5))
    diff = filled.ok("GET", f"/v1/datasets/{one['id']}/diff/{other['id']}")
    assert (diff["alone"], diff["other_alone"], diff["changed"]) == (0, 0, len(diff["data"]))
    assert {row["other_rule"] for row in diff["data"]} == {"balance"}
    assert diff["same"] + diff["changed"] == 23
    part = filled.ok("GET", f"/v1/datasets/{one['id']}/diff/{fewer['id']}")
    assert (part["alone"], part["other_alone"]) == (18, 0)
    assert sum(row["other_outcome"] is None for row in part["data"]) == 18
    assert filled.ok("GET", f"/v1/datasets/{fewer['id']}/diff/{one['id']}")["other_alone"] == 18
    monkeypatch.setattr(dataset_diff, "MOST_COMPARED", 22)
    status, refusal = filled.call("GET", f"/v1/datasets/{one['id']}/diff/{other['id']}")
    assert (status, refusal["error"]["code"]) == (400, "diff_too_large")


def test_saved_filters_and_files_of_test_rows_are_taken(filled: System) -> None:
    saved = filled.ok("POST", "/v1/filters", {"name": "train", "filter": {"metadata": {"split": "train"}}})["id"]
    row = orjson.dumps({"item": {"input": build.asked("mail 9"), "completion_id": "row-9"}})
    blobs.put(file_key("file-rows"), row)
    File(id="file-rows", created_at=1, bytes=1, filename="rows", purpose="evals", key=file_key("file-rows")).create()
    held_out = {"type": "file_id", "id": "file-rows"}
    dataset = made(filled, source={"type": "filter", "id": saved}, held_out=held_out)
    assert (dataset["card"]["selected"], dataset["held_out"]) == (23, held_out)
    assert rows(filled, dataset, "&rule=test_leaks") == ["chatcmpl-109"]
    status, refusal = filled.call("POST", "/v1/datasets", {"source": {"type": "filter", "id": "filter_none"}})
    assert (status, refusal["error"]["param"]) == (404, "source.id")


def test_test_rows_that_cannot_all_be_looked_through_are_refused_as_such(
    filled: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_dataset, "MOST_LOOKED_THROUGH", 25)
    asked = {"source": build.source("train", limit=9), "held_out": {"type": "stored_completions"}}
    status, refusal = filled.call("POST", "/v1/datasets", asked)
    error = refusal["error"]
    assert (status, error["param"], error["code"]) == (400, "held_out", "too_many_completions")
    assert "25 at most" in error["message"]
    monkeypatch.setattr(new_dataset, "MOST_LOOKED_THROUGH", 20)
    status, refusal = filled.call("POST", "/v1/datasets", {"source": build.source("train")})
    assert (status, refusal["error"]["param"]) == (400, "source")
    assert "or make several sets" in refusal["error"]["message"]


def test_one_that_is_not_made_yet_has_no_content(filled: System) -> None:
    name = filled.ok("POST", "/v1/datasets", {"source": build.source("train")})["id"]
    status, refusal = filled.call("GET", f"/v1/datasets/{name}/content")
    assert (status, refusal["error"]["code"]) == (404, "no_card")


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"source": {"type": "stored_completions", "metadata": {"split": "none"}}}, "source"),
        ({"recipe": {"steps": [{"rule": "unknown"}]}}, "recipe.steps[0]"),
        ({"recipe": {"steps": [{"rule": "duplicates"}, {"rule": "empty"}]}}, "recipe"),
        ({"recipe": {"steps": [{"rule": "length"}]}}, "recipe.steps[0].length.most_tokens"),
        ({"held_out": {"type": "file_id", "id": "file-none"}}, "held_out.id"),
        ({"held_out": {"type": "stored_completions", "metadata": {"splti": "test"}}}, "held_out"),
        ({"source": []}, "source"),
        ({"trainer": "nobody"}, "trainer"),
        ({"more": 1}, "more"),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_field(asked: dict[str, Any], param: str, filled: System) -> None:
    status, refusal = filled.call("POST", "/v1/datasets", {"source": build.source("train"), **asked})
    assert 400 <= status < 500
    assert refusal["error"]["param"].startswith(param.partition("[")[0]), refusal


def test_a_dataset_is_deleted_with_its_files_unless_a_distillation_works_with_it(filled: System) -> None:
    dataset = made(filled)
    assert filled.ok("DELETE", f"/v1/datasets/{dataset['id']}")["deleted"]
    assert list(blobs.keys(f"datasets/{dataset['id']}/")) == []
    assert filled.call("GET", f"/v1/datasets/{dataset['id']}")[0] == 404
    assert made(filled)["id"] == dataset["id"], "who asks again gets the same"
    distillation = build.distillation("training", dataset_id="dataset_1", job_id="ftjob-1")
    build.dataset(distillation)
    assert filled.call("DELETE", "/v1/datasets/dataset_1")[0] == 409
    distillation.change({"status": "completed"})
    assert filled.ok("DELETE", "/v1/datasets/dataset_1")["id"] == "dataset_1"


def test_one_that_is_being_made_is_not_deleted(filled: System) -> None:
    """Its files would come after the deletion, and stay."""
    name = filled.ok("POST", "/v1/datasets", {"source": build.source("train")})["id"]
    assert filled.call("DELETE", f"/v1/datasets/{name}")[0] == 409
    assert made(filled)["id"] == name
    assert filled.ok("DELETE", f"/v1/datasets/{name}")["deleted"]


def test_a_dataset_that_an_open_distillation_is_to_train_on_stays(filled: System) -> None:
    """It is read when the teacher has been measured, and that was paid for."""
    dataset = made(filled)
    distillation = build.distillation("queued", train={"type": "dataset", "id": dataset["id"]})
    distillation.create()
    assert filled.call("DELETE", f"/v1/datasets/{dataset['id']}")[0] == 409
    assert filled.ok("GET", f"/v1/datasets/{dataset['id']}")["status"] == "ready"
    distillation.change({"status": "failed"})
    assert filled.ok("DELETE", f"/v1/datasets/{dataset['id']}")["deleted"]


def test_a_distillation_trains_on_a_dataset_less_its_test_rows(filled: System) -> None:
    dataset = made(filled, recipe={"steps": STEPS, "seed": 3})
    recipe = Dataset.load(dataset["id"]).recipe
    train = {"type": "dataset", "id": dataset["id"]}
    build.captured(filled, [build.record(400, "captured later", split="train")])
    distillation = build.distillation(
        "assembling", dataset_id="dataset_1", job_id="ftjob-1", train=train, recipe=recipe
    )
    freeze(distillation)
    assemble(AssembleDataset(distillation_id=distillation.id, dataset_id="dataset_1"), FakeContext())
    card = filled.ok("GET", "/v1/datasets/dataset_1/card")
    assert (card["selected"], card["dropped"]["test_leaks"]) == (23, 1)
    assert card["rows"] == dataset["card"]["rows"] - 1
    assert card["recipe"]["seed"] == 3
    assert [step["rule"] for step in card["recipe"]["steps"]] == ["truncated", "duplicates"]


def test_only_what_the_teacher_answered_of_a_dataset_trains(filled: System) -> None:
    build.captured(filled, [build.record(500 + n, f"letter {n}", split="train", model="other") for n in range(12)])
    train = {"type": "dataset", "id": made(filled)["id"]}
    distillation = build.distillation("assembling", dataset_id="dataset_1", job_id="ftjob-1", train=train)
    freeze(distillation)
    assemble(AssembleDataset(distillation_id=distillation.id, dataset_id="dataset_1"), FakeContext())
    assert filled.ok("GET", "/v1/datasets/dataset_1/card")["selected"] == 23


def test_the_datasets_of_a_completion_are_told_after_its_deletion_and_of_none_that_never_was(filled: System) -> None:
    name = made(filled)["id"]
    path = "/v1/chat/completions/chatcmpl-105"
    filled.ok("DELETE", path)
    assert [found["id"] for found in filled.ok("GET", f"{path}/datasets")["data"]] == [name]
    status, refusal = filled.call("GET", "/v1/chat/completions/chatcmpl-none/datasets")
    assert (status, refusal["error"]["param"]) == (404, "completion_id")


def test_a_recipe_that_would_not_fit_beside_its_card_is_refused_at_once(filled: System) -> None:
    criterion = {"type": "string_check", "name": "same", "input": "x" * 99_000, "reference": "x", "operation": "eq"}
    body = {"source": build.source("train"), "recipe": {"steps": [{"rule": "quality", "criteria": [criterion]}]}}
    status, refusal = filled.call("POST", "/v1/datasets", body)
    assert (status, refusal["error"]["param"], refusal["error"]["code"]) == (413, "recipe", "object_too_large")
