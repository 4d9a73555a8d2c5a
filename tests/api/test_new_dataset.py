"""Datasets of uploaded files: alone, beside stored completions, in parts, after the file is gone, and refused."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import new_dataset
from assembly.assemble import assemble
from assembly.make import make
from completions import selection
from distillations import file_lines, lineage
from distillations.dataset import Dataset
from distilling import validation_rows
from distilling.freeze import freeze
from evals.files import File, file_key
from foundation import blobs
from foundation.events import AssembleDataset
from tests.distilling import build
from tests.examples import examples
from tests.flow import loop
from tests.flow.system import FakeContext, System

TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]
CALL = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
MALFORMED = [
    (b"{no json", "it is no JSON"),
    (b"\xff\xfe", "it is not UTF-8"),
    (b"[1]", "the row is no JSON object"),
    (b'{"messages": []}', "messages"),
    (b'{"input": {}, "preferred_output": [], "non_preferred_output": []}', "messages"),
    (b'{"messages": [{"role": "user", "content": "hm"}]}', "the assistant's"),
    (b'{"messages": [{"role": "user", "content": 5}, {"role": "assistant", "content": "a"}]}', "messages[0]"),
    (b'{"messages": [{"role": "user", "content": "hm"}, {"role": "assistant", "content": "a", "weight": 0}]}', "learn"),
]
KEPT = ("selection.jsonl", "held_out.jsonl", "corrections.jsonl")
NUMBERS = count(1)


def line(text: str, answer: str = "yes", *, before: Sequence[Any] = (), **more: Any) -> bytes:
    asked = [*before, {"role": "user", "content": text}]
    return orjson.dumps({"messages": [*asked, {"role": "assistant", "content": answer}], **more})


def uploaded(lines: Sequence[bytes], purpose: str = "fine-tune") -> str:
    """A file as a link brought it: nobody has looked at its lines."""
    name, body = f"file-{next(NUMBERS)}", b"\r\n".join(lines)
    about = {"filename": "x.jsonl", "purpose": purpose, "key": file_key(name), "status": "uploaded"}
    File(id=name, created_at=build.AT, bytes=len(body), **about).create()
    blobs.put(file_key(name), body)
    return name


def of(file_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "file_id", "id": file_id, **more}


def made(system: System, source: Any, **asked: Any) -> dict[str, Any]:
    """The dataset, once it is made."""
    name = system.ok("POST", "/v1/datasets", {"source": source, **asked})["id"]
    while system.deliver("ASSEMBLY"):
        pass
    dataset: dict[str, Any] = system.ok("GET", f"/v1/datasets/{name}")
    assert dataset["status"] == "ready", dataset
    return dataset


def rows(system: System, dataset: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = system.ok("GET", f"/v1/datasets/{dataset['id']}/rows?limit=100{query}")["data"]
    return data


def test_each_line_is_a_row_that_says_where_it_is_from(system: System) -> None:
    build.captured(system, [build.record(1, "letter 7")])
    calling = {"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "content": "12", "tool_call_id": "call_1"}
    lines = [b"\xef\xbb\xbf" + line("letter 0"), *(line(f"letter {n}") for n in range(1, 20)), b""]
    lines += [
        line("letter 3"),
        line("letter 4", "no"),
        line("with tools", before=[{"role": "user", "content": "a"}, *calling], tools=TOOLS, parallel_tool_calls=False),
    ]
    name = uploaded(lines + [text for text, _ in MALFORMED])
    dataset = made(system, of(name), held_out=build.source("test"), recipe={"validation_share": 0.2})
    card = dataset["card"]
    assert (card["selected"], card["dropped"]["malformed"], card["dropped"]["test_leaks"]) == (31, len(MALFORMED), 1)
    assert (card["dropped"]["duplicates"], card["dropped"]["contradictions"]) == (1, 1)
    found = rows(system, dataset)
    numbers = [n for n in range(1, len(lines) + len(MALFORMED) + 1) if n != 21]
    assert [row["file"] for row in found] == [{"file_id": name, "line": n} for n in numbers]
    assert [row["id"] for row in found] == [f"{name}:{n:06}" for n in numbers]
    malformed = rows(system, dataset, "&rule=malformed")
    for row, (_, why) in zip(malformed, MALFORMED, strict=True):
        assert why in row["evidence"][-1]["reason"]
        assert row["outcome"] == "dropped"
    assert system.ok("GET", f"/v1/datasets/{dataset['id']}/rows/{name}:000008")["evidence"][0]["others"] == [
        "chatcmpl-1"
    ]
    [trained] = [one for one in blobs.get(f"datasets/{dataset['id']}/train.jsonl").splitlines() if b"with tools" in one]
    example = orjson.loads(trained)
    assert (example["tools"], example["parallel_tool_calls"]) == (TOOLS, False)
    assert [message.get("weight") for message in example["messages"]] == [None, 0, None, None, None]
    assert {node["id"] for node in lineage.graph(name)["nodes"]} == {name, dataset["id"]}
    [stands_in] = system.ok("GET", f"/v1/chat/completions/{name}:000002/datasets")["data"]
    assert (stands_in["id"], stands_in["row"]["file"]) == (dataset["id"], {"file_id": name, "line": 2})
    assert dataset["source"] == [of(name)]
    assert [terms["trains_others"] for terms in dataset["teacher_terms"]] == ["unknown"]
    report = system.ok("GET", f"/v1/datasets/{dataset['id']}/report")
    shown = {step["rule"]: step["examples"] for step in report["steps"]}
    assert shown["duplicates"][0]["question"] == "letter 3"
    assert report["production"] is None
    assert any("whose answers" in warning for warning in report["warnings"])


def test_lines_and_completions_count_together(system: System) -> None:
    build.captured(system, [build.record(100 + n, f"mail {n}", split="train") for n in range(12)])
    name = uploaded([line(f"mail {n}") for n in range(6, 18)])
    dataset = made(system, [build.source("train"), of(name, model=build.TEACHER)])
    assert (dataset["card"]["selected"], dataset["card"]["dropped"]["duplicates"]) == (24, 6)
    assert dataset["card"]["teacher"] is None
    found = rows(system, dataset)
    assert [row["file"] is None for row in found] == [row["id"].startswith("chatcmpl-") for row in found]
    assert made(system, [of(name, model=build.TEACHER), build.source("train")])["id"] == dataset["id"]
    assert made(system, [build.source("train"), of(name)])["id"] != dataset["id"]


@settings(max_examples=examples(16), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 30), most=st.integers(2, 9))
def test_part_by_part_it_is_the_same_set(system: System, seed: int, most: int) -> None:
    rng = random.Random(seed)
    texts = [f"letter {n} about a matter of some kind" for n in range(14)]
    sound = [line(rng.choice(texts), rng.choice(["yes", "yes", "no"])) for _ in range(30)]
    lines = [*sound, b"", *(text for text, _ in MALFORMED)]
    rng.shuffle(lines)
    name = system.ok("POST", "/v1/datasets", {"source": of(uploaded(lines))})["id"]
    make(name, FakeContext())
    whole = {key: blobs.get(key) for key in blobs.keys(f"datasets/{name}/")}
    assert Dataset.load(name).card
    blobs.delete([key for key in whole if not key.endswith(KEPT)])
    Dataset.load(name).change({"status": "queued", "card": None})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "MOST_IN_A_PART", most)
        patch.setattr(file_lines, "_READ_BYTES", 200)
        make(name, FakeContext())
    assert {key: blobs.get(key) for key in blobs.keys(f"datasets/{name}/")} == whole


def test_of_a_deleted_file_nothing_is_made_and_no_word_is_left_but_in_what_was_trained_on(system: System) -> None:
    name = uploaded([*(line(f"letter {n}") for n in range(12)), line("zyzzyva", "")])
    dataset = made(system, of(name, model=build.TEACHER))
    later = system.ok("POST", "/v1/datasets", {"source": of(name), "dry_run": True})["id"]
    assert system.ok("DELETE", f"/v1/files/{name}")["deleted"]
    make(later, FakeContext())
    card = system.ok("GET", f"/v1/datasets/{later}")["card"]
    assert (card["selected"], card["rows"]) == (0, 0)
    examples_ = ("train.jsonl", "validation.jsonl")
    for key in blobs.keys("datasets/"):
        assert b"zyzzyva" not in blobs.get(key)
        assert key.endswith(examples_) or b"letter 3" not in blobs.get(key), key
    report = system.ok("GET", f"/v1/datasets/{dataset['id']}/report")
    assert all(example["question"] is None for step in report["steps"] for example in step["examples"])


def test_a_line_that_was_written_over_since_it_was_chosen_is_left_out(system: System) -> None:
    name = uploaded([line(f"letter {n}") for n in range(12)])
    asked = system.ok("POST", "/v1/datasets", {"source": of(name)})["id"]
    blobs.put(file_key(name), b"\r\n".join([line("letter 0"), *(line(f"LETTER {n}") for n in range(1, 6))]))
    make(asked, FakeContext())
    assert [row["id"] for row in rows(system, {"id": asked})] == [f"{name}:000001"]


def test_what_is_no_source_is_refused_with_its_field(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    good = uploaded([line(f"letter {n}") for n in range(12)])
    build.captured(system, [build.record(100, "mail", split="train")])

    def refused(source: Any) -> tuple[int, str, str]:
        status, answer = system.call("POST", "/v1/datasets", {"source": source})
        return status, answer["error"]["code"], answer["error"]["param"]

    assert refused(of("file-none")) == (404, "not_found", "source.id")
    assert refused([build.source("train"), of("file-none")])[2] == "source[1].id"
    assert refused(of(uploaded([b"{}"], "evals"))) == (400, "invalid_purpose", "source.id")
    assert refused(of(uploaded([b"", b" ", b""]))) == (400, "no_rows", "source.id")
    assert refused([of(good), of(good, model="gpt-4o")]) == (400, "invalid_value", "source[0].id")
    awaited = uploaded([])
    blobs.delete([file_key(awaited)])
    assert refused(of(awaited)) == (400, "file_not_found", "source.id")
    assert refused(of(good, model=""))[0] == 400
    with monkeypatch.context() as patch:
        patch.setattr(new_dataset, "MOST_LOOKED_THROUGH", 11)
        assert refused(of(good)) == (400, "too_many_completions", "source")
    monkeypatch.setattr(blobs, "LONGEST_LINE", 20)
    assert refused(of(good)) == (400, "line_too_long", "source.id")


def test_a_drop_is_undone_and_a_row_is_dropped_by_hand(system: System) -> None:
    source = of(uploaded([line("hm", "no"), line("hm"), line("hm"), line("well")]))
    before = made(system, source)
    [dropped] = rows(system, before, "&rule=contradictions")
    undone = made(system, source, recipe={"keep": [dropped["id"]], "drop": [f"{source['id']}:000004"]})
    assert undone["id"] != before["id"]
    found = {row["id"]: row for row in rows(system, undone)}
    assert found[dropped["id"]]["outcome"] != "dropped"
    assert [one["rule"] for one in found[dropped["id"]]["evidence"]] == ["kept_by_hand"]
    assert undone["card"]["dropped"]["dropped_by_hand"] == 1
    assert (undone["card"]["changed"], undone["card"]["rows"]) == ({"kept_by_hand": 1}, 1)
    for field in ("keep", "drop"):
        status, answer = system.call("POST", "/v1/datasets", {"source": source, "recipe": {field: ["chatcmpl-none"]}})
        assert (status, answer["error"]["param"]) == (400, f"recipe.{field}[0]")


def test_lines_count_as_the_teachers_where_the_dataset_says_so(system: System) -> None:
    build.captured(system, [build.record(n, f"test {n}") for n in range(1, 4)])
    name = uploaded([line(f"letter {n}") for n in range(40)] + [b"{}"])
    said, unsaid = made(system, of(name, model=build.TEACHER)), made(system, of(name))
    distillation = build.distillation(
        "assembling", dataset_id="dataset_1", job_id="ftjob-1", train={"type": "dataset", "id": said["id"]}
    )
    freeze(distillation)
    assemble(AssembleDataset(distillation_id=distillation.id, dataset_id="dataset_1"), FakeContext())
    card = system.ok("GET", "/v1/datasets/dataset_1/card")
    assert (card["selected"], card["rows"], card["dropped"]["malformed"]) == (41, 40, 1)
    file = validation_rows.freeze(distillation)
    assert file
    validating = [orjson.loads(row)["item"] for row in blobs.lines(file.key)]
    assert len(validating) == card["validation_rows"] > 0
    assert {item["reference"] for item in validating} == {"yes"}
    asked = {
        "name": "d",
        "eval_id": "eval_1",
        "test": build.source("test"),
        "teacher": build.TEACHER,
        "student": loop.STUDENT,
    }
    status, answer = system.call(
        "POST", "/v1/distillations", {**asked, "train": {"type": "dataset", "id": unsaid["id"]}}
    )
    assert (status, answer["error"]["code"], answer["error"]["param"]) == (400, "no_rows", "train")
    assert name in answer["error"]["message"]
    status, answer = system.call("POST", "/v1/distillations", {**asked, "train": {"type": "dataset", "id": said["id"]}})
    assert status < 300, answer
