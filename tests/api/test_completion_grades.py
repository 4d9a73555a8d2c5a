"""The grades of one completion: every run that had it as a row, the newest first, and how far was looked."""

from __future__ import annotations

from typing import Any

import pytest

from distillations import completion_grades, lineage
from distillations.lineage import Node
from evals import items_by_status
from evals.run import Run
from tests.api.rows import CHECK, CLOSE, create_eval, graded, started
from tests.flow import loop
from tests.flow.system import System

ASKED = "chatcmpl-graded-1"
URL = f"/v1/chat/completions/{ASKED}/grades"


@pytest.fixture
def eval_id(system: System) -> str:
    loop.capture(system, "graded", train=3, test=0)
    return create_eval(system, CHECK, CLOSE)


def run_of(system: System, eval_id: str, name: str, **source: Any) -> str:
    stored = {"type": "stored_completions", "metadata": {"tag": "graded"}}
    body = {"name": name, "data_source": {"type": "completions", "source": stored, **source}}
    run_id = system.ok("POST", f"/v1/evals/{eval_id}/runs", body)["id"]
    system.settle()
    return str(run_id)


def test_each_criterion_is_told_with_its_run(system: System, eval_id: str) -> None:
    assert system.ok("GET", URL)["data"] == []
    own, anew = run_of(system, eval_id, "own"), run_of(system, eval_id, "anew", model=loop.STUDENT)
    Run.load(anew).change({"created_at": Run.load(own).created_at + 1})
    page = system.ok("GET", URL)
    assert (page["runs_looked_at"], page["runs_left_out"], page["has_more"]) == (2, 0, False)
    newest, older = page["data"]
    assert (newest["run_id"], newest["answers"], newest["model"]) == (anew, "sampled", loop.STUDENT)
    assert (older["run_id"], older["run_name"], older["answers"], older["model"]) == (own, "own", "stored", "")
    assert (older["eval_id"], older["completion_id"], older["status"]) == (eval_id, ASKED, "pass")
    told = [(result["criterion"], result["passed"]) for result in older["results"]]
    assert told == [("correct", True), ("close", True)]
    item = system.ok("GET", f"/v1/evals/{eval_id}/runs/{own}/output_items/{older['id']}")
    assert item["datasource_item"]["completion_id"] == ASKED
    assert [{**result, "criterion": None} for result in item["results"]] == [
        {**result, "criterion": None} for result in older["results"]
    ]
    first = system.ok("GET", f"{URL}?limit=1")
    assert (first["has_more"], first["last_id"]) == (True, newest["id"])
    assert system.ok("GET", f"{URL}?limit=1&after={newest['id']}")["data"] == [older]


def test_what_was_deleted_is_told_no_longer(system: System, eval_id: str) -> None:
    gone, kept = run_of(system, eval_id, "gone"), run_of(system, eval_id, "kept")
    system.ok("DELETE", f"/v1/evals/{eval_id}/runs/{gone}")
    assert [grade["run_id"] for grade in system.ok("GET", URL)["data"]] == [kept]
    system.ok("DELETE", f"/v1/evals/{eval_id}")
    assert [grade["eval_name"] for grade in system.ok("GET", URL)["data"]] == [None]
    system.ok("DELETE", f"/v1/chat/completions/{ASKED}")
    assert system.call("GET", URL)[0] == 404


def test_rows_of_a_file_are_found_each_time_that_they_are_there(system: System, eval_id: str) -> None:
    item = {"completion_id": ASKED, "reference": "right 0"}
    rows = [{"item": item, "sample": {"output_text": text}} for text in ("right 0", "left")]
    run_id = graded(system, eval_id, rows)
    file = Node("file", "file-frozen")
    lineage.link_completions([ASKED], file)
    lineage.link([(file, Node("run", run_id))])
    assert [grade["status"] for grade in system.ok("GET", URL)["data"]] == ["pass", "fail"]


def test_how_far_was_looked_is_said(system: System, eval_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run_of(system, eval_id, "first")
    run_of(system, eval_id, "second")
    waiting = started(system, eval_id, [{"item": {}}])["id"]
    lineage.link_completions([ASKED], Node("run", waiting))

    def looked(query: str = "") -> tuple[int, int, int]:
        page = system.ok("GET", URL + query)
        return len(page["data"]), page["runs_looked_at"], page["runs_left_out"]

    assert looked() == (2, 2, 1)
    assert looked("?runs=1") == (1, 1, 2)
    monkeypatch.setattr(completion_grades, "_MOST_LOADED", 1)
    assert sum(looked()[1:]) == 3
    monkeypatch.setattr(completion_grades, "_MOST_LOADED", 500)
    monkeypatch.setattr(items_by_status, "_MOST_ROWS", 1)
    assert looked() == (0, 0, 3)
    monkeypatch.setattr(items_by_status, "_MOST_ROWS", 100)
    monkeypatch.setattr(completion_grades, "_SECONDS", -1.0)
    assert looked() == (0, 0, 3)


@pytest.mark.parametrize("runs", ["0", "101", "many", "-1", "1.5", "\u0661"])
def test_a_number_of_runs_that_is_none_is_refused(system: System, runs: str) -> None:
    status, answer = system.call("GET", f"/v1/chat/completions/none/grades?runs={runs}")
    assert (status, answer["error"]["param"]) == (400, "runs")
