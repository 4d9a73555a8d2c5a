"""Attempts at one task beside each other, and what changed between two of them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from distillations import lineage
from distillations.costs import DistillationCosts
from distillations.distillation import Distillation
from distillations.lineage import Node
from foundation import blobs
from tests.distillations import documents
from tests.distilling import build
from tests.flow.system import System


def attempt(number: int, rows: str, **fields: Any) -> Distillation:
    """A completed distillation whose model passed the rows with a `p`."""
    made = build.distillation(
        "completed",
        number=number,
        **{
            "created_at": build.AT + number,
            "dataset_id": f"dataset_{number}",
            "job_id": f"ftjob-{number}",
            "test_rows": len(rows),
            "test_file_id": "file-frozen",
            "costs": DistillationCosts(training_estimate_usd=1, training_usd=number, evals_usd=0.5),
            **fields,
        },
    )
    lineage.link([(Node("eval", made.eval_id), Node("distillation", made.id))])
    build.dataset(made, card=documents.card(id=made.dataset_id, rows=10 * number, train_rows=9 * number))
    build.graded(made, "distilled", rows)
    verdict = build.verdict(made)
    made.change({"verdict": verdict, "model": f"ft:{number}"})
    return Distillation.load(made.id)


def dataset_rows(number: int, ids: str, dropped: str = "") -> None:
    rows = [{"id": letter, "outcome": "train", "evidence": []} for letter in ids]
    rows += [{"id": letter, "outcome": "dropped", "evidence": [{"rule": "duplicates"}]} for letter in dropped]
    blobs.put(f"datasets/dataset_{number}/rows.jsonl", b"".join(orjson.dumps(row) + b"\n" for row in rows))


@pytest.fixture
def two(system: System) -> System:
    attempt(1, "pfpf")
    attempt(2, "pppf", hyperparameters={"n_epochs": 4}, student="gpt-4.1-nano", repeats="distill_1")
    dataset_rows(1, "abc", "d")
    dataset_rows(2, "abd", "x")
    return system


def test_attempts_at_a_task_stand_beside_each_other_the_newest_first(two: System) -> None:
    [task] = two.ok("GET", "/v1/experiments")["data"]
    assert (task["id"], task["name"], task["attempts"], task["last_at"]) == ("eval_1", "triage", 2, build.AT + 2)
    assert task["best"]["score"]["score"] == 0.88
    attempts = two.ok("GET", "/v1/experiments/eval_1")["data"]
    assert [found["id"] for found in attempts] == ["distill_2", "distill_1"]
    newest = attempts[0]
    assert (newest["student"], newest["hyperparameters"], newest["train_rows"]) == ("gpt-4.1-nano", {"n_epochs": 4}, 18)
    assert (newest["score"]["score"], newest["gain"], newest["interval"]) == (0.88, 0.12, [0.05, 0.2])
    assert newest["costs"]["training_usd"] == 2
    assert {found["test_rows_id"] for found in attempts} == {"file-frozen"}
    page = two.ok("GET", "/v1/experiments/eval_1?limit=1")
    assert (page["has_more"], two.ok("GET", "/v1/experiments/eval_1?after=distill_2")["data"][0]["id"]) == (
        True,
        "distill_1",
    )


def test_what_changed_between_two_attempts(two: System) -> None:
    changed = two.ok("GET", "/v1/experiments/eval_1/difference?attempt=distill_2&baseline=distill_1")
    assert {setting["name"]: (setting["attempt"], setting["baseline"]) for setting in changed["settings"]} == {
        "hyperparameters.n_epochs": (4, None),
        "student": ("gpt-4.1-nano", "gpt-4o-mini"),
    }
    data = changed["data"]
    assert (data["same"], data["alone"], data["baseline_alone"], data["changed"]) == (2, 1, 1, 1)
    score = changed["score"]
    assert (score["rows"], score["won"], score["lost"], score["gain"]) == (4, 1, 0, 0.25)
    assert changed["cost_usd"] == 1
    assert (changed["data_left_out"], changed["score_left_out"], changed["more_settings"]) == (None, None, False)


def test_steps_of_a_recipe_are_compared_by_their_rules(system: System) -> None:
    for number, steps in enumerate(
        ([{"rule": "refused"}, {"rule": "duplicates", "keep": "oldest"}], [{"rule": "duplicates", "keep": "newest"}]), 1
    ):
        attempt(number, "p", recipe={"steps": steps})
        dataset_rows(number, "a")
    changed = system.ok("GET", "/v1/experiments/eval_1/difference?attempt=distill_2&baseline=distill_1")["settings"]
    assert [setting["name"] for setting in changed] == [
        "recipe.steps.duplicates.keep",
        "recipe.steps.refused.rule",
        "recipe.steps.refused.wording",
    ]


def test_what_cannot_be_told_is_null_and_says_why(two: System) -> None:
    queued = build.distillation("queued", number=3, name="young")
    changed = two.ok("GET", f"/v1/experiments/eval_1/difference?attempt={queued.id}&baseline=distill_1")
    assert (changed["data"], changed["score"], changed["cost_usd"]) == (None, None, None)
    assert changed["data_left_out"] == "young has no training set."
    assert changed["score_left_out"] == "The model of young was not measured."
    same = two.ok("GET", "/v1/experiments/eval_1/difference?attempt=distill_1&baseline=distill_1")
    assert (same["settings"], same["data"]["changed"], same["score"]) == ([], 0, None)


def test_training_sets_that_are_too_large_are_not_compared_here(two: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.experiment_difference._MOST_ROWS", 20)
    changed = two.ok("GET", "/v1/experiments/eval_1/difference?attempt=distill_2&baseline=distill_1")
    assert changed["data"] is None
    assert "more than 20 rows" in changed["data_left_out"]


def test_what_is_no_attempt_at_the_task_is_refused(two: System) -> None:
    for path, status, param in (
        ("/v1/experiments/eval_none", 404, "eval_id"),
        ("/v1/experiments/eval_1/difference?attempt=distill_1", 400, "baseline"),
        ("/v1/experiments/eval_1/difference?attempt=distill_9&baseline=distill_1", 404, "attempt"),
        ("/v1/experiments/eval_2/difference?attempt=distill_1&baseline=distill_2", 404, "attempt"),
    ):
        answer = two.call("GET", path)
        assert (answer[0], answer[1]["error"]["param"]) == (status, param)


def test_a_task_without_attempts_is_none_of_the_list(system: System) -> None:
    assert system.ok("GET", "/v1/experiments")["data"] == []
    build.distillation("queued")
    assert system.ok("GET", "/v1/experiments")["data"][0]["best"] is None
    assert system.ok("GET", "/v1/experiments/eval_1")["data"] == []
