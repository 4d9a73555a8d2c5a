"""Several trainings side by side, in process: each has one job, whatever fails, and the best one goes to the eval."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from distillations.models_in_use import models_in_use
from providers.model_version import ModelVersion
from tests.flow import loop
from tests.flow.faults import Hook, injected
from tests.flow.system import System

SWEEP = {"hyperparameters": [{"n_epochs": 1}, {"n_epochs": 8}]}


def swept(system: System, tag: str) -> dict[str, Any]:
    loop.capture(system, tag, train=40, test=6)
    return loop.completed(system, loop.distill(system, tag, **SWEEP)["id"])


def at_the_trainer(system: System, distillation: dict[str, Any]) -> list[int]:
    """How many jobs the trainer has for each attempt."""
    url = f"{system.lab}/v1/fine_tuning/jobs?metadata[stillhouse_intent]="
    return [len(httpx.get(url + attempt["job_id"]).json()["data"]) for attempt in distillation["attempts"]]


def test_the_best_of_several_trainings_goes_to_the_eval(system: System) -> None:
    ended = swept(system, "sweep")
    attempts = ended["attempts"]
    assert [attempt["hyperparameters"]["n_epochs"] for attempt in attempts] == [1, 8]
    assert at_the_trainer(system, ended) == [1, 1]
    [best] = [attempt for attempt in attempts if attempt["chosen"]]
    assert best["score"]["score"] == max(attempt["score"]["score"] for attempt in attempts)
    assert (ended["model"], ended["job_id"]) == (best["model"], best["job_id"])
    assert [step["status"] for step in ended["history"]][-5:] == [
        "training",
        "choosing",
        "evaluating",
        "deciding",
        "completed",
    ]
    verdict = ended["verdict"]
    assert (verdict["attempts_tried"], verdict["scores"]["distilled"]["model"]) == (2, best["model"])
    [notice] = [notice for notice in system.notifications() if notice["type"] == "verdict"]
    assert notice["verdict"]["attempts_tried"] == 2
    graph = system.ok("GET", f"/v1/lineage/{ended['dataset_id']}")
    assert {attempt["model"] for attempt in attempts} <= {node["id"] for node in graph["nodes"]}


def test_an_early_model_of_a_training_takes_part(system: System) -> None:
    loop.capture(system, "early", train=40, test=6)
    started = loop.distill(system, "early", hyperparameters={"n_epochs": 3}, checkpoints="best")
    ended = loop.completed(system, started["id"])
    assert [attempt["step"] for attempt in ended["attempts"]] == [None, 2, 1]
    assert all(attempt["score"] for attempt in ended["attempts"])
    assert ended["verdict"]["attempts_tried"] == 3
    early = ModelVersion.load(ended["attempts"][1]["model"])
    assert (early.step, early.job_id, early.distillation_id) == (2, ended["job_id"], ended["id"])
    used = models_in_use(0)
    assert [attempt["model"] in used for attempt in ended["attempts"]] == [
        attempt["chosen"] or attempt["step"] is None for attempt in ended["attempts"]
    ]


@pytest.mark.soak
def test_each_attempt_has_one_job_whatever_call_fails(
    system: System, monkeypatch: pytest.MonkeyPatch, soak: bool
) -> None:
    for n in range(1, 40) if soak else (4, 11):
        for when in ("before", "after"):
            hook = Hook(n, when)
            system.around = hook.around
            with injected(hook, monkeypatch):
                ended = swept(system, f"{when}{n}")
            attempts = ended["attempts"]
            assert at_the_trainer(system, ended) == [1, 1], (when, n)
            assert sum(attempt["chosen"] for attempt in attempts) == 1
            assert len({attempt["score"]["total"] for attempt in attempts}) == 1
            assert not any(system.dead(name) for name in system.queues)
