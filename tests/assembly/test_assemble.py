"""The training set: its files, its card, and the reason where there is none."""

from __future__ import annotations

from typing import Any

import botocore.client
import orjson
import pytest

from assembly.assemble import assemble
from assembly.curation import RULES
from assembly.made import LEASE
from distillations import lineage
from distillations.dataset import Dataset
from distillations.distillation import Distillation
from distillations.recipe import Recipe
from distilling.freeze import freeze
from foundation import blobs, bus, lease
from foundation.errors import AtWork
from foundation.events import AssembleDataset
from tests.cloud import aws_client
from tests.distillations import documents
from tests.distillations.pair_runs import Answered, ended_run
from tests.distilling import build
from tests.flow.system import FakeContext, System

FILES = ("train.jsonl", "validation.jsonl", "manifest.jsonl", "rows.jsonl", "card.json")
MESSAGE = AssembleDataset(distillation_id="distill_1", dataset_id="dataset_1", at=1_790_000_123_456)


def prepared(
    system: System, extra: list[dict[str, Any]] | None = None, *, train: int = 60, **fields: Any
) -> Distillation:
    """Three test rows and some training completions of the teacher."""
    records = [build.record(number, f"test {number}") for number in range(3)]
    records += [build.record(100 + number, f"mail {number}", split="train") for number in range(train)]
    build.captured(system, [*records, *(extra or [])])
    distillation = build.distillation("assembling", dataset_id="dataset_1", job_id="ftjob-1", **fields)
    freeze(distillation)
    return distillation


def longer(number: int, text: str) -> dict[str, Any]:
    """A training conversation that goes on after a first question."""
    turns = [*build.asked(text), {"role": "assistant", "content": "yes"}, *build.asked("and the refund?")]
    return build.record(number, "", split="train", request={"model": build.TEACHER, "messages": turns})


def content(name: str) -> bytes:
    return blobs.get(f"datasets/dataset_1/{name}")


def lines(name: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in content(name).splitlines()]


def test_files_card_and_manifest_tell_the_same(system: System) -> None:
    prepared(
        system,
        [
            build.record(200, "mail 1", split="train"),  # a duplicate
            build.record(201, "mail 2", "no", split="train"),  # a contradiction
            build.record(198, "mail 2", split="train"),  # and who decides it
            build.record(202, " test  0", split="train"),  # a test input
            build.record(203, "cut", split="train", choice={"finish_reason": "length"}),
            build.record(204, "by another", split="train", model="other"),  # not the teacher's
            build.record(205, "filtered", split="train", choice={"finish_reason": "content_filter"}),
            longer(206, "test 1"),  # a test row and its answer stand inside
            longer(207, "another mail"),
            build.record(208, "refused", "I cannot help with that.", split="train"),
        ],
        recipe={"leaks": "drop"},
    )

    assemble(MESSAGE, FakeContext())

    card = orjson.loads(content("card.json"))
    train, validation, manifest, rows = (lines(name) for name in FILES[:4])
    assert (card["rows"], card["train_rows"], card["validation_rows"]) == (61, len(train), len(validation))
    assert len(train) + len(validation) == 61
    assert 0 < len(validation) < 20
    assert card["selected"] == 69 == card["rows"] + sum(card["dropped"].values())
    assert {rule: count for rule, count in card["dropped"].items() if count} == {
        "test_leaks": 1,
        "test_conversations": 1,
        "filtered": 1,
        "truncated": 1,
        "refused": 1,
        "contradictions": 1,
        "duplicates": 2,
    }
    assert tuple(card["dropped"]) == RULES
    assert (card["changed"], card["train_lines"]) == ({}, card["train_rows"])
    assert card["contradicted"] == ["chatcmpl-201"]
    assert (card["history_turns"], card["malformed"], card["recipe"]["train_on_history"]) == (1, [], False)
    assert (card["teacher"], card["student"], card["created_at"]) == (build.TEACHER, build.STUDENT, 1_790_000_123)
    assert card["recipe"]["source"]["model"] == build.TEACHER
    files = {"train": train, "validation": validation}
    for entry in manifest:
        number = int(entry["completion_id"].removeprefix("chatcmpl-")) - 100
        line = files[entry["split"]][entry["line"] - 1]
        kept = {98: "mail 2", 100: "mail 1", 107: "another mail"}
        assert line["messages"][0]["content"] == kept.get(number, f"mail {number}")
    assert len({entry["completion_id"] for entry in manifest}) == 61
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), key=lambda name: int(name[9:]))
    assert len(rows) == 69
    dropped = {row["id"]: row["evidence"][-1] for row in rows if row["outcome"] == "dropped"}
    assert {name: (found["rule"], found["others"]) for name, found in dropped.items()} == {
        "chatcmpl-101": ("duplicates", ["chatcmpl-200"]),
        "chatcmpl-102": ("duplicates", ["chatcmpl-198"]),
        "chatcmpl-201": ("contradictions", ["chatcmpl-198"]),
        "chatcmpl-202": ("test_leaks", ["chatcmpl-0"]),
        "chatcmpl-203": ("truncated", []),
        "chatcmpl-205": ("filtered", []),
        "chatcmpl-206": ("test_conversations", ["chatcmpl-1"]),
        "chatcmpl-208": ("refused", []),
    }
    assert all(found["reason"] for found in dropped.values())
    kept_rows = [(row["id"], row["outcome"], row["line"]) for row in rows if row["outcome"] != "dropped"]
    assert kept_rows == [(entry["completion_id"], entry["split"], entry["line"]) for entry in manifest]
    dataset = Dataset.load("dataset_1")
    assert dataset.card
    assert (dataset.status, dataset.card.model_dump(mode="json"), dataset.created_at) == ("ready", card, 1_790_000_123)
    down = {node["id"] for node in lineage.graph("chatcmpl-103")["nodes"] if node["side"] == "down"}
    assert down == {"dataset_1"}
    assert lineage.graph("chatcmpl-201")["nodes"] == []
    assert system.ok("GET", "/v1/datasets/dataset_1/card") == card


def test_the_group_of_a_test_row_trains_nowhere_and_history_trains_where_it_is_asked_for(system: System) -> None:
    test = build.record(0, "test", metadata={"split": "test", "conversation": "7"})
    train = [build.record(100 + n, f"mail {n}", metadata={"split": "train", "conversation": str(n)}) for n in range(40)]
    build.captured(system, [test, *train, longer(200, "mail")])
    recipe = {"leaks": "drop", "train_on_history": True}
    asked = {"gate": {"group_by": "conversation"}, "recipe": recipe}
    freeze(build.distillation("assembling", dataset_id="dataset_1", job_id="ftjob-1", **asked))

    assemble(MESSAGE, FakeContext())

    card = orjson.loads(content("card.json"))
    assert (card["rows"], card["dropped"]["test_conversations"], card["dropped"]["test_leaks"]) == (40, 1, 0)
    assert (card["recipe"]["group_by"], card["recipe"]["train_on_history"]) == ("conversation", True)
    questions = [line["messages"][0]["content"] for name in FILES[:2] for line in lines(name)]
    assert "mail 7" not in questions
    assert b"weight" not in content("train.jsonl") + content("validation.jsonl")


def test_leaks_hold_the_training_until_somebody_approves(system: System) -> None:
    """Each is named with its pair. What asks the very same is no leak: `train` is meant without the test rows."""
    question = "the parcel that I ordered on Monday morning has not arrived yet and nobody answers the telephone"
    nearly = [build.record(50, question), build.record(300, f"{question}!!!", split="train")]
    same = build.record(302, "test 0", split="train")
    distillation = prepared(system, [*nearly, longer(301, "test 1"), same], plan=documents.plan())
    build.sent(system, "TUNING")

    assemble(MESSAGE, FakeContext())
    assemble(MESSAGE, FakeContext())

    assert not build.sent(system, "TUNING")
    dataset = Dataset.load("dataset_1")
    assert dataset.card
    assert (dataset.status, len(dataset.held), dataset.card.rows) == ("ready", 2, 60)
    assert [leak.model_dump() for leak in dataset.card.leaks] == [
        {"id": "chatcmpl-300", "rule": "near_leaks", "test_rows": ["chatcmpl-50"], "score": 1.0},
        {"id": "chatcmpl-301", "rule": "test_conversations", "test_rows": ["chatcmpl-1"], "score": None},
    ]
    while system.deliver("DISTILLING"):
        pass
    blocked = Distillation.load(distillation.id)
    assert blocked.plan
    assert (blocked.status, blocked.plan.reasons) == ("blocked", dataset.held)
    assert "that ask nearly what a test row asks: 1, such as chatcmpl-300 of chatcmpl-50 (" in dataset.held[0]
    [event] = build.sent(system, "NOTIFY")
    assert event["type"] == "DistillationBlocked"

    system.ok("POST", f"/v1/distillations/{distillation.id}/approve")
    while system.deliver("DISTILLING") or system.deliver("ASSEMBLY"):
        pass

    [landed] = build.sent(system, "TUNING")
    assert landed["Records"][0]["s3"]["object"]["key"].endswith("card.json")
    assert (Distillation.load(distillation.id).status, Dataset.load("dataset_1").held) == ("assembling", [])
    assert lines("train.jsonl")
    assert orjson.loads(content("card.json")) == dataset.card.model_dump(mode="json")


def test_leaks_are_dropped_without_a_stop_where_the_recipe_says_so(system: System) -> None:
    prepared(system, [longer(301, "test 1")], recipe={"leaks": "drop"})
    build.sent(system, "TUNING")
    assemble(MESSAGE, FakeContext())
    assert len(build.sent(system, "TUNING")) == 1
    assert len(orjson.loads(content("card.json"))["leaks"]) == 1


def test_a_reference_never_reaches_a_file(system: System) -> None:
    prepared(system)
    assemble(MESSAGE, FakeContext())
    assert not any(b"secret-reference" in content(name) for name in FILES)


def test_a_redelivery_gives_identical_bytes(system: System) -> None:
    prepared(system)
    assemble(MESSAGE, FakeContext())
    first = {name: content(name) for name in FILES}
    build.captured(system, [build.record(999, "test 0"), build.record(998, "not of this filter")])

    assemble(MESSAGE, FakeContext())

    assert {name: content(name) for name in FILES} == first


@pytest.mark.parametrize("number", [0, 30], ids=["failed", "ready"])
def test_a_crash_before_the_announcement_changes_no_set(
    number: int, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was captured in between would make a job of a set that failed, and other files of one that is there."""
    prepared(system, train=number)
    build.sent(system, "TUNING")
    put = blobs.put
    with monkeypatch.context() as patch:
        patch.setattr(bus, "send", lambda *_: 1 / 0)
        patch.setattr(
            blobs, "put", lambda key, *rest, **more: 1 / 0 if key.endswith("card.json") else put(key, *rest, **more)
        )
        with pytest.raises(ZeroDivisionError):
            assemble(MESSAGE, FakeContext())
    before = Dataset.load("dataset_1")
    files = {key: blobs.get(key) for key in blobs.keys("datasets/")}
    build.captured(system, [build.record(500 + more, f"late {more}", split="train") for more in range(30)])

    assemble(MESSAGE, FakeContext())

    assert Dataset.load("dataset_1") == before
    announced = {"datasets/dataset_1/card.json"} if before.card else set()
    after = {key: blobs.get(key) for key in blobs.keys("datasets/")}
    assert after.keys() - files.keys() == announced
    assert files.items() <= after.items()
    assert [len(build.sent(system, queue)) for queue in ("TUNING", "DISTILLING")] == ([1, 0] if number else [0, 1])


def test_the_card_comes_last_and_only_then_is_the_start_of_a_job_due(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(system)
    build.sent(system, "TUNING")
    written: list[str] = []
    real = botocore.client.BaseClient._make_api_call

    def noted(self: Any, name: str, arguments: Any) -> Any:
        if name in {"PutObject", "PutItem", "BatchWriteItem"}:
            written.append(arguments.get("Key", name))
        return real(self, name, arguments)

    with monkeypatch.context() as patch:
        patch.setattr(botocore.client.BaseClient, "_make_api_call", noted)
        assemble(MESSAGE, FakeContext())

    assert written[-1] == "datasets/dataset_1/card.json"
    assert {f"datasets/dataset_1/{name}" for name in FILES} <= set(written)
    [landed] = build.sent(system, "TUNING")
    assert landed["Records"][0]["s3"]["object"]["key"].endswith("card.json")
    assert not build.sent(system, "DISTILLING")


def test_too_few_examples_are_recorded_with_the_reason_and_told(system: System) -> None:
    distillation = prepared(
        system, [build.record(300, "cut", split="train", choice={"finish_reason": "length"})], train=4
    )
    build.sent(system, "TUNING")

    assemble(MESSAGE, FakeContext())

    dataset = Dataset.load("dataset_1")
    assert dataset.error
    assert (dataset.status, dataset.error.code) == ("failed", "too_few_examples")
    assert "1 truncated" in dataset.error.message
    assert blobs.find("datasets/dataset_1/card.json") is None
    assert not build.sent(system, "TUNING")
    assert system.deliver("DISTILLING")
    assert (Distillation.load(distillation.id).status, Distillation.load(distillation.id).error) == (
        "failed",
        dataset.error,
    )
    status, refusal = system.call("GET", "/v1/datasets/dataset_1/card")
    assert (status, refusal["error"]["code"]) == (404, "no_card")
    assert dataset.error.message in refusal["error"]["message"]


def test_one_delivery_at_a_time_assembles_it(system: System) -> None:
    prepared(system)
    with lease.held("dataset_1", LEASE, FakeContext()), pytest.raises(AtWork):
        assemble(MESSAGE, FakeContext())
    assert list(blobs.keys("datasets/")) == []
    assemble(MESSAGE, FakeContext())
    assert Dataset.load("dataset_1").status == "ready"


@pytest.mark.parametrize("status", ["blocked", "training", "cancelled"])
def test_a_late_message_writes_nothing(status: str, system: System) -> None:
    prepared(system).change({"status": status})
    assemble(MESSAGE, FakeContext())
    assert Dataset.find("dataset_1") is None
    assert list(blobs.keys("datasets/")) == []


def test_only_its_own_messages_are_taken(system: System) -> None:
    prepared(system)
    sqs, queue = aws_client("sqs"), system.queues["ASSEMBLY"]
    sqs.send_message(QueueUrl=queue, MessageBody=MESSAGE.to_json())
    sqs.send_message(QueueUrl=queue, MessageBody='{"type":"PlanRun","run_id":"evalrun_1"}')
    for _ in range(7):
        system.deliver("ASSEMBLY")
    assert Dataset.load("dataset_1").status == "ready"
    assert len(system.dead("ASSEMBLY")) == 1


def test_a_set_without_validation_rows_is_none_where_a_model_is_chosen_by_them(system: System) -> None:
    prepared(system).change({"checkpoints": "best", "recipe": Recipe(validation_share=0)})
    assemble(MESSAGE, FakeContext())
    error = Dataset.load("dataset_1").error
    assert error
    assert (error.code, "of so few examples none validates" in error.message) == ("no_validation_rows", True)


def paired(passing: int) -> Recipe:
    """A recipe for pairs: two runs in which the teacher passed on so many mails and the student failed on all."""
    asked = [f"mail {number}" for number in range(60)] + ["test 0"]
    stored = ended_run(*(Answered(text, "yes", passed=number < passing) for number, text in enumerate(asked)))
    student = ended_run(*(Answered(text, "no", passed=False) for text in asked))
    return Recipe(method="dpo", runs=[stored.id, student.id], validation_share=0)


def test_a_distillation_trains_on_pairs_where_its_recipe_asks_for_them(system: System) -> None:
    prepared(system, [build.record(300, "test 0", split="train")], recipe=paired(passing=61))
    assemble(MESSAGE, FakeContext())
    pairs = lines("train.jsonl")
    assert {tuple(pair) for pair in pairs} == {("input", "preferred_output", "non_preferred_output")}
    assert "test 0" not in {pair["input"]["messages"][0]["content"] for pair in pairs}
    card = Dataset.load("dataset_1").card
    assert card
    assert (card.recipe.method, len(pairs), card.dropped["test_leaks"]) == ("dpo", 60, 1)


def test_too_few_pairs_are_recorded_with_how_to_get_some(system: System) -> None:
    prepared(system, recipe=paired(passing=9))
    assemble(MESSAGE, FakeContext())
    error = Dataset.load("dataset_1").error
    assert error
    assert error.code == "too_few_pairs"
    assert "has 9 pairs; at least 10 are needed" in error.message
    assert "51 pairs" in error.message


def test_one_that_cannot_be_assembled_leaves_nothing_of_its_parts(system: System) -> None:
    prepared(system)
    blobs.put("datasets/dataset_1/selection.jsonl", b"no reference\n")
    blobs.put("datasets/dataset_1/work/00000.rows", b"what somebody wrote")
    bus.send(MESSAGE)
    for _ in range(7):
        system.deliver("ASSEMBLY")
    system.deliver("DISTILLING")
    assert Distillation.load("distill_1").status == "failed"
    assert not [key for key in blobs.keys("datasets/") if "/work/" in key]
