"""Rare slices topped up by the teacher: what it writes and answers is graded, guarded, marked, and paid once."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from assembly.made import LEASE
from assembly.make import make
from distillations.dataset import Dataset
from distillations.recipe import Recipe
from foundation import blobs, table
from providers import prices
from providers.openai_compatible import OpenAICompatible
from tests.assembly.striking import struck
from tests.distilling import build
from tests.flow.snapshot import differences, put_back, taken
from tests.flow.system import FakeContext, System

GRADED = {"type": "string_check", "name": "yes", "input": "{{ sample.output_text }}", "reference": "yes"}
STEP = {"rule": "augment", "by": "kind", "at_least": 6, "criteria": [{**GRADED, "operation": "eq"}]}
LEAKED = "where did the parcel of last monday go to please tell me"


@pytest.fixture
def asked(system: System, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ten mails of one kind and two of a rare one, a teacher that writes, and what it is asked."""
    records = [build.record(100 + n, f"invoice {n}", split="train") for n in range(10)]
    records += [build.record(200 + n, f"parcel {n}", split="train") for n in range(2)]
    for record in records:
        record["metadata"]["kind"] = "rare" if "parcel" in record["request"]["messages"][0]["content"] else "common"
        record["request"]["messages"].insert(0, {"role": "system", "content": "Answer yes."})
    build.captured(system, [*records, build.record(1, LEAKED)])
    prompts: list[str] = []

    async def teach(self: Any, method: str, path: str, body: bytes, **options: Any) -> dict[str, Any]:  # noqa: ARG001
        request = orjson.loads(body)
        prompt = request["messages"][-1]["content"]
        prompts.append(prompt)
        message = {"role": "assistant", "content": _said(prompt, request)}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        return {
            "id": f"chatcmpl-{hashlib.sha256(body).hexdigest()[:24]}",
            "object": "chat.completion",
            "created": 1,
            "model": request["model"],
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": usage,
        }

    monkeypatch.setattr(OpenAICompatible, "_ask", teach)
    return prompts


def _said(prompt: str, request: dict[str, Any]) -> str:
    """Case 1 leaks, case 2 is implausible, case 3 is answered wrongly; the fourth may train."""
    if "response_format" in request:
        return '{"label": "no"}' if "case 2" in prompt else '{"label": "yes"}'
    if prompt.startswith("Write one more input of the kind 'rare'"):
        number = int(prompt.split("it is number ")[1].split(maxsplit=1)[0])
        return LEAKED if number == 1 else f"case {number} is about a box that {'very ' * number}late"
    return "no" if "case 3" in prompt else "yes"


def begun(system: System, **more: Any) -> str:
    recipe = {"steps": [{**STEP, **more.pop("step", {})}], "validation_share": 0.5}
    body = {"source": build.source("train", model=build.TEACHER), "recipe": recipe, "held_out": build.source("test")}
    return str(system.ok("POST", "/v1/datasets", {**body, **more})["id"])


def test_what_is_written_and_answered_well_trains_and_is_marked_everywhere(system: System, asked: list[str]) -> None:
    dataset_id = begun(system)
    system.settle()
    card = system.ok("GET", f"/v1/datasets/{dataset_id}/card")
    assert list(blobs.keys(f"datasets/{dataset_id}/grades/")) == [], "their texts are with the set, and masked there"
    figures = {"rows": 2, "written": 4, "inputs_passed": 3, "answers_passed": 2, "entered": 1}
    assert card["augmented"] == [{"step": 1, "slice": "rare", **figures}]
    assert (card["synthetic"], card["rows"], card["selected"]) == (1, 13, 14)
    assert [run["name"] for run in card["runs"]] == ["1-augment-inputs", "1-augment-answers"]
    rows = system.ok("GET", f"/v1/datasets/{dataset_id}/rows?limit=100")["data"]
    (kept,) = [row for row in rows if row["synthetic"] and row["outcome"] == "train"]
    (leaked,) = [row for row in rows if row["synthetic"] and row["outcome"] == "dropped"]
    assert leaked["evidence"][-1]["rule"] in {"test_leaks", "augment"}
    assert [grade["passed"] for grade in kept["grades"]] == [True, True]
    assert kept["evidence"][0]["action"] == "added"
    assert {"chatcmpl-200", "chatcmpl-201"} == set(kept["evidence"][0]["others"])
    manifest = [orjson.loads(line) for line in blobs.lines(f"datasets/{dataset_id}/manifest.jsonl")]
    assert [entry["completion_id"] for entry in manifest if entry.get("synthetic")] == [kept["id"]]
    line = orjson.loads(blobs.get(f"datasets/{dataset_id}/train.jsonl").splitlines()[kept["line"] - 1])
    assert [message["content"] for message in line["messages"]][::2] == ["Answer yes.", "yes"]
    assert line["messages"][1]["content"].startswith("case 4")
    nodes = system.ok("GET", f"/v1/lineage/{kept['id']}")["nodes"]
    assert {"synthetic", "dataset"} <= {node["kind"] for node in nodes}
    # Four inputs, of which the judge looks at each, and the answers to three.
    assert len(asked) == len(set(asked)) == 4 + 4 + 3


def test_killed_at_any_call_and_delivered_again_it_is_the_same_and_paid_once(
    system: System, asked: list[str], monkeypatch: pytest.MonkeyPatch, soak: bool
) -> None:
    dataset_id = begun(system)
    for status in ("grading", "grading", "ready"):
        before = taken(system)
        make(dataset_id, FakeContext())
        whole = taken(system)
        assert Dataset.load(dataset_id).status == status
        for call in range(1, 200, 1 if soak else 29):
            put_back(system, before)
            try:
                with struck(call, "after", monkeypatch) as made:
                    make(dataset_id, FakeContext())
            except Exception as error:  # noqa: BLE001 - whatever comes of a call that fails
                assert "struck" in str(error)  # noqa: PT017
            if len(made) < call:
                break
            table.delete(dataset_id, f"LEASE#{LEASE}")
            make(dataset_id, FakeContext())
            assert not differences(taken(system), whole), (status, call, made[call - 1])
        system.deliver("PLAN")
        system.deliver("GRADE")
    assert len(asked) == 11


def test_a_dry_run_writes_nothing_and_tells_both_runs(
    system: System, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = prices.price_list()
    priced = {**known, "models": {**known["models"], build.TEACHER: {"input": "1", "output": "1"}}}
    monkeypatch.setattr(prices, "price_list", lambda: priced)
    dataset_id = begun(system, dry_run=True)
    system.settle()
    card = system.ok("GET", f"/v1/datasets/{dataset_id}/card")
    assert [(run["name"], run["rows"], run["run_id"]) for run in card["runs"]] == [
        ("1-augment-inputs", 4, None),
        ("1-augment-answers", 4, None),
    ]
    assert all(run["estimated_usd"] > 0 for run in card["runs"])
    assert (card["synthetic"], asked) == (0, [])


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([{**STEP, "criteria": None}], "give eval_id or criteria"),
        ([{**STEP, "by": "item.input.0.content"}], "a metadata key, or 'answer'"),
        ([STEP, {"rule": "quality", "eval_id": "eval_1"}], "put 'quality' before 'augment'"),
    ],
)
def test_what_cannot_be_written_is_refused(steps: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Recipe.model_validate({"steps": steps})
