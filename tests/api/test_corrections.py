"""Corrections of stored completions: made, replaced, shown, refused and deleted, and that they train."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from completions import corrections
from foundation import blobs
from foundation.ids import now
from retention import erase
from retention.failures import Failures
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import System

FIRST = "/v1/chat/completions/chatcmpl-1"
URL = f"{FIRST}/correction"
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object", "required": ["id"]}}}


def call(arguments: str, name: str = "find") -> dict[str, Any]:
    return {"content": None, "tool_calls": [{"type": "function", "function": {"name": name, "arguments": arguments}}]}


@pytest.fixture
def stored(system: System) -> System:
    asked = {"model": build.TEACHER, "messages": build.asked("mail"), "tools": [TOOL]}
    as_json = {**asked, "response_format": {"type": "json_object"}}
    build.captured(
        system,
        [build.record(1, "", "no", request=asked), build.record(2, "", "{}", request=as_json)],
    )
    return system


def test_a_correction_is_kept_beside_the_answer_and_saying_it_again_changes_nothing(stored: System) -> None:
    made = stored.ok("POST", URL, {"content": "yes", "note": "It is paid.", "by": "ada"})
    assert made["message"] == {"role": "assistant", "content": "yes"}
    assert (made["object"], made["completion_id"], made["by"], made["note"]) == (
        "chat.completion.correction",
        "chatcmpl-1",
        "ada",
        "It is paid.",
    )
    assert stored.ok("POST", URL, {"message": {"content": "yes"}, "note": "It is paid.", "by": "ada"}) == made
    assert stored.ok("GET", URL) == made
    completion = stored.ok("GET", FIRST)
    assert (completion["choices"][0]["message"]["content"], completion["correction"]) == ("no", made)

    second = stored.ok("POST", URL, {"message": call('{"id": 1}')})
    assert (second["id"], second["by"], second["message"]["tool_calls"][0]["function"]["name"]) == (
        made["id"],
        None,
        "find",
    )
    assert list(corrections.by_completion()) == ["chatcmpl-1"]


@pytest.mark.parametrize(
    ("name", "body", "status", "param"),
    [
        ("chatcmpl-1", {}, 400, ""),
        ("chatcmpl-1", {"content": "a", "message": {"content": "a"}}, 400, ""),
        ("chatcmpl-1", {"content": "  "}, 400, "message"),
        ("chatcmpl-1", {"content": "a" * 130_000 + "é" * 1000}, 400, "content"),
        ("chatcmpl-1", {"message": {"content": "a", "tool_calls": []}}, 400, "message.tool_calls"),
        ("chatcmpl-1", {"message": {"role": "user", "content": "a"}}, 400, "message.role"),
        ("chatcmpl-1", {"message": call("{}")}, 400, "message"),
        ("chatcmpl-1", {"message": call("{")}, 400, "message"),
        ("chatcmpl-1", {"message": call("{}", "delete")}, 400, "message"),
        ("chatcmpl-1", {"content": "a", "by": "b" * 257}, 400, "by"),
        ("chatcmpl-1", {"message": {"content": "a" * 100_000, **call(f'{{"id": "{"b" * 40_000}"}}')}}, 200, None),
        ("chatcmpl-1", {"message": {**call(f'{{"id": "{"b" * 100_000}"}}'), "content": "a" * 100_000}}, 413, "message"),
        ("chatcmpl-2", {"content": "no JSON"}, 400, "message"),
        ("chatcmpl-3", {"content": "a"}, 404, "completion_id"),
    ],
)
def test_what_is_no_answer_to_the_request_is_refused(
    name: str, body: dict[str, Any], status: int, param: str | None, stored: System
) -> None:
    code, answer = stored.call("POST", f"/v1/chat/completions/{name}/correction", body)
    assert code == status
    if param:
        assert answer["error"]["param"] == param
    assert bool(corrections.by_completion()) is (status == 200)


def test_it_goes_alone_or_with_its_completion(stored: System) -> None:
    stored.ok("POST", URL, {"content": "yes"})
    assert stored.ok("DELETE", URL)["object"] == "chat.completion.correction.deleted"
    assert [stored.call(method, URL)[0] for method in ("GET", "DELETE")] == [404, 404]
    assert "correction" not in stored.ok("GET", FIRST)

    stored.ok("POST", URL, {"content": "yes"})
    stored.ok("DELETE", FIRST)
    assert stored.call("GET", URL)[0] == 404
    assert corrections.by_completion() == {}


def test_one_that_came_with_the_deletion_goes_with_the_bytes(stored: System, monkeypatch: pytest.MonkeyPatch) -> None:
    stored.ok("POST", URL, {"content": "yes"})
    late = corrections.by_completion()["chatcmpl-1"]
    stored.ok("DELETE", FIRST)
    late.record()
    monkeypatch.setattr(erase, "now", lambda: now() + 2 * 3600)
    assert erase.erase(lambda: True, Failures()) == 1
    assert corrections.by_completion() == {}


def test_a_dataset_is_another_with_a_correction_and_trains_it(system: System) -> None:
    build.captured(system, [build.record(number, f"mail {number}", split="train") for number in range(20)])
    body = {"source": build.source("train"), "recipe": {"validation_share": 0}}
    plain = system.ok("POST", "/v1/datasets", body)
    system.ok("POST", URL, {"content": "a person's"})
    corrected = system.ok("POST", "/v1/datasets", body)
    left_out = system.ok("POST", "/v1/datasets", {**body, "recipe": {"validation_share": 0, "corrections": False}})
    assert len({plain["id"], corrected["id"], left_out["id"]}) == 3
    system.ok("DELETE", URL)
    system.settle()

    def second_line(dataset: dict[str, Any]) -> str:
        line = blobs.get(f"datasets/{dataset['id']}/train.jsonl").splitlines()[1]
        return str(orjson.loads(line)["messages"][-1]["content"])

    assert [second_line(dataset) for dataset in (plain, corrected, left_out)] == ["yes", "a person's", "yes"]
    card = system.ok("GET", f"/v1/datasets/{corrected['id']}/card")
    assert (card["corrected"], card["changed"]) == (["chatcmpl-1"], {"corrections": 1})
    [row] = system.ok("GET", f"/v1/datasets/{corrected['id']}/rows?rule=corrections")["data"]
    both = row["evidence"][0]["corrected"]
    assert (both["teacher"]["content"], both["correction"]["content"]) == ("yes", "a person's")


def test_a_distillation_trains_what_was_corrected(system: System) -> None:
    loop.capture(system, "c")
    [completion] = system.ok("GET", "/v1/chat/completions?metadata[split]=train&limit=1")["data"]
    [other] = system.ok("GET", "/v1/chat/completions?metadata[split]=test&limit=1")["data"]
    system.ok("POST", f"/v1/chat/completions/{other['id']}/correction", {"content": "another's"})
    system.ok("POST", f"/v1/chat/completions/{completion['id']}/correction", {"content": "a person's"})
    ended = loop.completed(system, loop.distill(system, "c")["id"])
    card = system.ok("GET", f"/v1/datasets/{ended['dataset_id']}/card")
    assert card["corrected"] == [completion["id"]]
    kept = blobs.get(f"datasets/{ended['dataset_id']}/corrections.jsonl")
    assert b"a person's" in kept
    assert b"another's" not in kept, "what is no part of the set does not outlive its own deletion there"
