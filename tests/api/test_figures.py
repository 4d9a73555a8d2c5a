"""What a run shows beside OpenAI's fields: statistics, progress, power."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from openai import OpenAI

from evals import figures
from evals.files import File, file_key
from evals.run import Run
from foundation import blobs
from foundation.ids import now
from stats import power_at, wilson
from tests.api.rows import CHECK, CLOSE, answered, create_eval, graded, started
from tests.flow.system import System
from tests.grading.build import MODEL
from tests.grading.build import row as mail


def shown(system: System, eval_id: str, run_id: str) -> dict[str, Any]:
    run: dict[str, Any] = system.ok("GET", f"/v1/evals/{eval_id}/runs/{run_id}")
    return run


def test_an_ended_run_shows_its_pass_rate_with_errors_apart(system: System, client: OpenAI) -> None:
    eval_id = create_eval(system)
    run = client.evals.runs.retrieve(graded(system, eval_id, answered("p" * 80 + "f" * 37 + "eee")), eval_id=eval_id)
    statistics = (run.model_extra or {})["statistics"]
    assert (statistics["passed"], statistics["rows"], statistics["errored"], statistics["confidence"]) == (
        80,
        117,
        3,
        0.95,
    )
    assert statistics["pass_rate"] == pytest.approx(80 / 117)
    assert statistics["interval"] == pytest.approx(list(wilson(80, 117)))
    (criterion,) = statistics["criteria"]
    assert criterion["testing_criteria"] == run.per_testing_criteria_results[0].testing_criteria
    assert (criterion["passed"], criterion["rows"], criterion["errored"]) == (80, 117, 3)
    assert criterion["score"] is None, "0 and 1 are the pass rate again"
    assert set(run.per_testing_criteria_results[0].model_dump()) == {"testing_criteria", "passed", "failed"}
    assert (run.model_extra or {})["progress"] is None


def test_scores_have_a_mean_with_its_interval(system: System) -> None:
    eval_id = create_eval(system, CHECK, CLOSE)
    run_id = graded(system, eval_id, answered("pf" * 60))
    items = system.ok("GET", f"/v1/evals/{eval_id}/runs/{run_id}/output_items?limit=100")["data"]
    close = {round(item["results"][1]["score"], 9) for item in items}
    assert len(close) > 1
    check, close_ = shown(system, eval_id, run_id)["statistics"]["criteria"]
    assert check["score"] is None
    low, high = close_["score"]["interval"]
    assert min(close) < low < close_["score"]["mean"] < high < max(close)
    assert close_["score"]["mean"] == pytest.approx(
        sum(item["results"][1]["score"] for item in items) / len(items), abs=0.01
    )


def test_a_run_that_failed_says_that_nothing_is_known(system: System) -> None:
    eval_id = create_eval(system)
    file = system.ok("POST", "/v1/files/presigned", {"filename": "x.jsonl", "purpose": "evals", "bytes": 10})
    source = {"type": "jsonl", "source": {"type": "file_id", "id": file["id"]}}
    run = system.ok("POST", f"/v1/evals/{eval_id}/runs", {"data_source": source})
    system.settle()
    answer = shown(system, eval_id, run["id"])
    assert answer["status"] == "failed"
    assert (answer["statistics"]["pass_rate"], answer["statistics"]["interval"]) == (None, [0.0, 1.0])


# ------------------------------------------------------------------ progress


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the API see the clock this many seconds ahead."""
    return lambda seconds: monkeypatch.setattr(figures, "now", lambda: now() + seconds)


def test_a_run_says_how_far_it_is_and_when_it_will_end(system: System, later: Callable[[int], None]) -> None:
    eval_id = create_eval(system)
    run = started(system, eval_id, answered("p" * 500))
    assert run["progress"] == {"rows": 0, "total": 500, "eta": None}
    assert run["statistics"] is None
    system.deliver("PLAN")
    assert shown(system, eval_id, run["id"])["progress"] == {"rows": 0, "total": 500, "eta": None}
    # Two of the ten chunks are left for later.
    refused = iter([None, None])
    system.around = lambda _, call: next(refused, call) and call()
    system.deliver("GRADE")
    later(100)
    answer = shown(system, eval_id, run["id"])
    graded_rows = answer["progress"]["rows"]
    assert 0 < graded_rows < 500
    left_s = answer["progress"]["eta"] - now() - 100
    assert left_s == pytest.approx(100 * (500 - graded_rows) / graded_rows, abs=3)
    system.around = lambda _, call: call()
    system.settle()
    assert shown(system, eval_id, run["id"])["progress"] is None


def progress_of(run: Run) -> figures.Progress:
    progress = figures.run_figures(run).progress
    assert progress
    return progress


def test_a_paused_run_has_no_eta(system: System) -> None:
    eval_id = create_eval(system)
    run = Run.load(started(system, eval_id, answered("p" * 60))["id"])
    run.change({"status": "in_progress", "started_at": now() - 60, "rows": 120})
    going = Run.load(run.id)
    going.result_counts.total = 60
    assert progress_of(going).eta == pytest.approx(now() + 60, abs=2)
    paused = going.model_validate({**going.model_dump(), "paused": {"since": 1, "reason": "away"}})
    assert progress_of(paused) == figures.Progress(rows=60, total=120, eta=None)


# ------------------------------------------------------------------ power


def test_a_paid_run_says_at_once_what_its_rows_can_show(system: System) -> None:
    eval_id = create_eval(system)
    content = {"type": "file_content", "content": [mail(number) for number in range(60)]}
    body = {"data_source": {"type": "completions", "source": content, "model": MODEL}}
    power = system.ok("POST", f"/v1/evals/{eval_id}/runs", body)["power"]
    assert (power["rows"], power["power"], power["alpha"]) == (60, 0.8, 0.05)
    smallest = power["smallest_difference"]
    assert 0.8 <= power_at(60, smallest, (1 + smallest**2) / 2) < 0.86


def test_power_is_known_when_rows_are_planned_and_free_runs_have_none(system: System) -> None:
    eval_id = create_eval(system)
    lines = "\n".join('{"item": {"input": [{"role": "user", "content": "x"}]}}' for _ in range(75))
    source = {"type": "file_id", "id": uploaded(lines)}
    data_source = {"type": "completions", "source": source, "model": MODEL}
    run = system.ok("POST", f"/v1/evals/{eval_id}/runs", {"data_source": data_source})
    assert run["power"] is None
    system.deliver("PLAN")
    assert shown(system, eval_id, run["id"])["power"]["rows"] == 75
    assert started(system, eval_id, answered("p"))["power"] is None


def uploaded(lines: str) -> str:
    file = File(id="file-rows", created_at=now(), bytes=len(lines), filename="r.jsonl", purpose="evals", key="")
    file.key = file_key(file.id)
    blobs.put(file.key, lines.encode())
    assert file.create()
    return file.id
