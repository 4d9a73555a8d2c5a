"""A dataset in the format of each trainer, read back by somebody else's reader, and what a format cannot hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import TypeAdapter

from distillations.formats import FORMATS
from foundation import blobs
from local.fakes.rows import candidate_rows, converse_rows, preference_rows, text_rows
from tests.distillations.pair_runs import Answered, ended_run
from tests.distilling import build
from tests.flow.system import System

MAILS = range(12)
MESSAGES: TypeAdapter[list[ChatCompletionMessageParam]] = TypeAdapter(list[ChatCompletionMessageParam])
TOOLS: TypeAdapter[list[ChatCompletionToolParam]] = TypeAdapter(list[ChatCompletionToolParam])
OFFERED = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]


def made(system: System, **asked: Any) -> dict[str, Any]:
    name = system.ok("POST", "/v1/datasets", {"source": build.source("train"), **asked})["id"]
    while system.deliver("ASSEMBLY"):
        pass
    dataset: dict[str, Any] = system.ok("GET", f"/v1/datasets/{name}")
    assert dataset["status"] == "ready", dataset["error"]
    return dataset


def content(system: System, dataset: dict[str, Any], query: str) -> bytes:
    status, _ = system.call("GET", f"/v1/datasets/{dataset['id']}/content?{query}")
    assert status == 307
    return blobs.get(httpx.URL(system.headers["location"]).path.partition("/datasets/")[2].join(("datasets/", "")))


@pytest.fixture(scope="module")
def recipe() -> dict[str, Any]:
    return {"steps": [], "validation_share": 0}


@pytest.fixture
def filled(system: System) -> System:
    records = [build.record(number, f"mail {number}", split="train") for number in MAILS]
    for record in records:
        record["request"]["messages"].insert(0, {"role": "system", "content": "Sort mails."})
    build.captured(system, records)
    return system


def chat_rows(lines: bytes) -> list[Any]:
    """Rows as the SDK's own types have a request."""
    rows = [orjson.loads(line) for line in lines.splitlines()]
    for row in rows:
        TOOLS.validate_python(row.get("tools", []))
    return [{"messages": MESSAGES.validate_python(row["messages"], strict=True)} for row in rows]


def pair_rows(lines: bytes) -> list[Any]:
    rows = [orjson.loads(line) for line in lines.splitlines()]
    for row in rows:
        assert set(row) == {"input", "preferred_output", "non_preferred_output"}
        MESSAGES.validate_python([*row["input"]["messages"], *row["preferred_output"], *row["non_preferred_output"]])
    return [{"messages": [*row["input"]["messages"], *row["preferred_output"]]} for row in rows]


def trl_rows(lines: bytes) -> list[Any]:
    """Rows of the shapes that TRL documents: `messages`, or `prompt` with `chosen` and `rejected`."""
    rows = [orjson.loads(line) for line in lines.splitlines()]
    columns = {tuple(row) for row in rows}
    assert columns in ({("messages",)}, {("prompt", "chosen", "rejected")}), "all rows have the same columns"
    turns = [row.get("messages") or [*row["prompt"], *row["chosen"]] for row in rows]
    assert all(set(turn) == {"role", "content"} and isinstance(turn["content"], str) for row in turns for turn in row)
    return [{"messages": row} for row in turns]


READERS: dict[str, Callable[[bytes], list[Any]]] = {
    "openai-chat": chat_rows,
    "together-chat": chat_rows,
    "fireworks-chat": chat_rows,
    "nebius-chat": chat_rows,
    "openai-dpo": pair_rows,
    "together-preference": pair_rows,
    "fireworks-dpo": pair_rows,
    "bedrock-conversation-2024": converse_rows,
    "sagemaker-chat": text_rows,
    "sagemaker-preference": preference_rows,
    "sagemaker-dpo": candidate_rows,
    "trl-messages": trl_rows,
    "trl-preference": trl_rows,
}


def test_every_format_is_read_back_by_another_reader(filled: System, recipe: dict[str, Any]) -> None:
    stored = ended_run(*(_answered(number, "yes", passed=True) for number in MAILS))
    student = ended_run(*(_answered(number, "no", passed=False) for number in MAILS))
    datasets = {
        "supervised": made(filled, recipe=recipe),
        "dpo": made(filled, recipe={**recipe, "method": "dpo", "runs": [stored.id, student.id]}),
    }
    assert set(READERS) == set(FORMATS)
    for name, read in READERS.items():
        rows = read(content(filled, datasets[FORMATS[name].method], f"format={name}"))
        said = [[turn["content"] for turn in row["messages"]] for row in rows]
        assert said == [["Sort mails.", f"mail {number}", "yes"] for number in MAILS], name


def _answered(number: int, answer: str, *, passed: bool) -> Answered:
    asked = [{"role": "system", "content": "Sort mails."}, *build.asked(f"mail {number}")]
    return Answered("", answer, passed, {"datasource_item": {"input": asked}})


def test_what_a_format_cannot_hold_is_refused_by_line_or_left_out(system: System, recipe: dict[str, Any]) -> None:
    records = [build.record(number, f"mail {number}", split="train") for number in MAILS]
    for record in records[3:5]:
        record["request"]["tools"] = OFFERED
    build.captured(system, records)
    dataset = made(system, recipe=recipe)
    path = f"/v1/datasets/{dataset['id']}/content"
    status, answer = system.call("GET", f"{path}?format=sagemaker-chat")
    assert (status, answer["error"]["code"], answer["error"]["param"]) == (400, "no_counterpart", "format")
    assert answer["error"]["message"].startswith("2 of 12 rows cannot be written as 'sagemaker-chat': Line 4, messages")
    assert len(text_rows(content(system, dataset, "format=sagemaker-chat&leave_out=true"))) == 10
    assert system.call("GET", f"{path}?format=sagemaker-chat")[0] == 400
    assert len(chat_rows(content(system, dataset, "format=together-chat"))) == 12
    assert content(system, dataset, "split=validation&format=trl-messages") == b""
    for query, words in (("format=openai-dpo", "trl-messages"), ("format=csv", "openai-chat")):
        status, answer = system.call("GET", f"{path}?{query}")
        assert (status, answer["error"]["param"], words in answer["error"]["message"]) == (400, "format", True)
    assert system.ok("DELETE", f"/v1/datasets/{dataset['id']}")["deleted"]
    assert list(blobs.keys(f"datasets/{dataset['id']}/")) == []


@pytest.mark.parametrize("bound", ["_MOST_BYTES", "_MOST_ROWS"])
def test_a_file_that_is_too_large_to_rewrite_says_what_else_there_is(
    filled: System, recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    dataset = made(filled, recipe=recipe)
    monkeypatch.setattr(f"api.dataset_export.{bound}", 10)
    status, answer = filled.call("GET", f"/v1/datasets/{dataset['id']}/content?format=trl-messages")
    assert (status, answer["error"]["code"]) == (400, "export_too_large")
    assert filled.call("GET", f"/v1/datasets/{dataset['id']}/content")[0] == 307


def test_what_is_written_while_its_dataset_is_deleted_is_deleted_with_it(
    filled: System, recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = made(filled, recipe=recipe)
    path, write = f"/v1/datasets/{dataset['id']}", blobs.put_lines

    def late(*written: Any, **about: Any) -> None:
        filled.ok("DELETE", path)
        write(*written, **about)

    monkeypatch.setattr(blobs, "put_lines", late)
    read = list(blobs.raw_lines(f"datasets/{dataset['id']}/train.jsonl") or ())
    monkeypatch.setattr("api.dataset_export._read", lambda _: iter(read))
    assert filled.call("GET", f"{path}/content?format=trl-messages")[0] == 404
    assert list(blobs.keys(f"datasets/{dataset['id']}/")) == []
