"""Planning: rows fixed once, cut into ranges of fifty, and runs without rows that end as failed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from evals.data_sources import FileId, JsonlSource
from evals.eval import Eval
from evals.files import File
from evals.run import Run, new_run
from foundation import blobs
from grading.plan import plan
from tests.flow import loop
from tests.flow.system import System
from tests.grading.build import break_off_once, chunks, planned, row, started, summary_landed, with_sample


def rows_of(system: System, run: Run) -> list[dict[str, Any]]:
    """What the chunks of a run hold, read as the grader reads it."""
    rows = []
    for chunk in chunks(system):
        assert chunk.run_id == run.id
        body = blobs.get(chunk.key, offset=chunk.offset, length=chunk.length)
        lines = [orjson.loads(line) for line in body.splitlines() if line.strip()]
        assert chunk.first_row == len(rows)
        rows += lines
    return rows


def run_over_stored(system: System, **source: Any) -> Run:
    eval_id = loop.create_eval(system)
    body = {"data_source": {"type": "completions", "source": {"type": "stored_completions", **source}}}
    return Run.load(system.ok("POST", f"/v1/evals/{eval_id}/runs", body)["id"])


def run_over_file(system: System, file_id: str) -> Run:
    source = JsonlSource(type="jsonl", source=FileId(type="file_id", id=file_id))
    run = new_run("evalrun_file", Eval.load(loop.create_eval(system)), name="file", data_source=source)
    assert run.create()
    return run


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (50, [50]), (51, [50, 1]), (120, [50, 50, 20])])
def test_rows_are_cut_into_chunks_of_fifty(count: int, sizes: list[int], system: System) -> None:
    run, cut = planned(system, [row(number, text=f"é {number}") for number in range(count)])
    assert run.status == "in_progress"
    assert [(chunk.chunk, chunk.chunks) for chunk in cut] == [(number, len(sizes)) for number in range(len(sizes))]
    assert [chunk.first_row for chunk in cut] == [50 * number for number in range(len(sizes))]
    read = [
        [orjson.loads(line)["item"]["n"] for line in blobs.get(c.key, offset=c.offset, length=c.length).splitlines()]
        for c in cut
    ]
    assert [len(row) for row in read] == sizes
    assert [number for row in read for number in row] == list(range(count))


def test_the_rows_are_fixed_by_the_first_plan(system: System) -> None:
    loop.capture(system, "old", train=0, test=4)
    run = run_over_stored(system, metadata={"split": "test"})
    plan(run.id)
    first = rows_of(system, run)
    system.ok("POST", "/v1/captures", [loop.record(number, split="test", tag="new") for number in range(3)])
    system.deliver("RECORD")
    plan(run.id)
    assert rows_of(system, run) == first
    assert [row["item"]["completion_id"] for row in first] == [f"chatcmpl-old-{1000 + n}" for n in range(4)]


def test_stored_rows_carry_what_graders_and_sampling_need(system: System) -> None:
    loop.capture(system, "one", train=0, test=1)
    run = run_over_stored(system, metadata={"tag": "one"})
    plan(run.id)
    (row,) = rows_of(system, run)
    assert row["item"] == {
        "input": loop.messages(1000),
        "reference": "login",
        "metadata": {"split": "test", "tag": "one"},
        "completion_id": "chatcmpl-one-1000",
    }
    assert row["request"] == {"temperature": 0}
    assert row["sample"]["choices"][0]["message"]["content"] == "login"


def test_rows_come_from_an_uploaded_file_as_it_is(system: System) -> None:
    lines = [orjson.dumps(with_sample(row(number), "yes")) for number in range(60)]
    blobs.put("files/file-1", b"\n\n".join(lines) + b"\r\n")
    assert File(id="file-1", created_at=1, bytes=1, filename="rows.jsonl", purpose="evals", key="files/file-1").create()
    run = run_over_file(system, "file-1")
    plan(run.id)
    assert [row["item"]["n"] for row in rows_of(system, run)] == list(range(60))


def test_a_run_without_rows_ends_as_failed_with_the_reason(system: System) -> None:
    loop.capture(system, "gone", train=0, test=1)
    run = run_over_stored(system, metadata={"tag": "gone"})
    emptied = run.data_source.model_dump()
    emptied["source"]["metadata"] = {"tag": "nobody"}
    run.change({"data_source": emptied})
    plan(run.id)
    ended = Run.load(run.id)
    assert ended.status == "failed"
    assert ended.error is not None
    assert ended.error["code"] == "no_rows"
    assert ended.error["message"]
    assert summary_landed(run)
    assert chunks(system) == []


@pytest.mark.parametrize("exists", [False, True])
def test_a_run_over_a_file_that_is_away_or_empty_ends_as_failed(exists: bool, system: System) -> None:
    if exists:
        blobs.put("files/file-1", b"\n")
        File(id="file-1", created_at=1, bytes=1, filename="x", purpose="evals", key="files/file-1").create()
    run = run_over_file(system, "file-1")
    plan(run.id)
    ended = Run.load(run.id)
    assert ended.status == "failed"
    assert ended.error is not None
    assert ended.error["code"] == ("no_rows" if exists else "not_found")
    assert summary_landed(run)


def test_a_run_that_failed_tells_so_though_its_first_plan_broke_off(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_over_file(system, "file-nobody")
    break_off_once(monkeypatch)
    with pytest.raises(ConnectionError):
        plan(run.id)
    assert not summary_landed(run)
    plan(run.id)
    assert summary_landed(run)
    assert Run.load(run.id).status == "failed"


def test_a_canceled_run_is_not_planned(system: System) -> None:
    run = started(system, [row(1)])
    run.change({"status": "canceled"})
    system.deliver("PLAN")
    assert Run.load(run.id).status == "canceled"
    assert chunks(system) == []
    assert summary_landed(run), "who waits for it is told"


def test_a_file_that_goes_after_planning_ends_no_run(system: System) -> None:
    line = orjson.dumps(with_sample(row(1), "yes"))
    file_id = system.ok("POST", "/v1/files/presigned", {"filename": "a.jsonl", "purpose": "evals", "bytes": len(line)})[
        "id"
    ]
    blobs.put(File.load(file_id).key, line)
    run = run_over_file(system, file_id)
    plan(run.id)
    system.ok("DELETE", f"/v1/files/{file_id}")
    plan(run.id)
    assert Run.load(run.id).status == "in_progress"
    system.settle()
    plan(run.id)
    assert Run.load(run.id).status == "completed"


def test_an_end_is_final(system: System) -> None:
    run, _ = planned(system, [row(1)])
    run.finish(status="completed", rows=7)
    run.finish(status="failed")
    run.finish(status="completed", rows=8)
    assert (Run.load(run.id).status, Run.load(run.id).rows) == ("completed", 8)


def test_rows_that_no_worker_can_hold_are_refused(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grading.plan._MOST_BYTES", 10_000)
    run = started(system, [row(number, text="x" * 150) for number in range(60)])
    plan(run.id)
    error = Run.load(run.id).error
    assert error is not None
    assert error["code"] == "rows_too_large"
    assert chunks(system) == []
