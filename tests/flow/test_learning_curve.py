"""A learning curve of a dataset, in process: four trainings, four runs, a forecast."""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx
import pytest

from distillations.job import Job
from distillations.learning_curve import LearningCurve, LearningPoint
from evals.data_sources import CompletionsSource
from evals.run import Run
from foundation import blobs
from tests.distillations.pair_runs import Answered, ended_run
from tests.distilling import build
from tests.flow import loop
from tests.flow.faults import Hook, injected
from tests.flow.snapshot import Snapshot, put_back, taken
from tests.flow.system import System


class Prepared(NamedTuple):
    """A training set of about a hundred examples, and all that AWS has then."""

    dataset_id: str
    there: Snapshot


@pytest.fixture(scope="module")
def prepared() -> list[Prepared]:
    """What the first test of the module prepares for all."""
    return []


@pytest.fixture
def dataset_id(system: System, prepared: list[Prepared]) -> str:
    """A training set of about a hundred examples."""
    if not prepared:
        loop.capture(system, "curve", train=110, test=1)
        made = system.ok("POST", "/v1/datasets", {"source": loop.source("train", "curve"), "recipe": {"steps": []}})
        system.settle()
        prepared.append(Prepared(str(made["id"]), taken(system)))
    put_back(system, prepared[0].there)
    return prepared[0].dataset_id


def asked(system: System, dataset_id: str, **fields: Any) -> dict[str, Any]:
    body = {"eval_id": loop.create_eval(system), "student": loop.STUDENT, **fields}
    answer: dict[str, Any] = system.ok("POST", f"/v1/datasets/{dataset_id}/learning_curves", body)
    return answer


def ended(system: System, dataset_id: str) -> dict[str, Any]:
    system.settle()
    [curve] = system.ok("GET", f"/v1/datasets/{dataset_id}/learning_curves")["data"]
    answer: dict[str, Any] = curve
    return answer


def test_four_parts_are_trained_on_and_graded_and_the_forecast_is_read(system: System, dataset_id: str) -> None:
    started = asked(system, dataset_id)
    assert started["status"] == "queued"
    curve = ended(system, dataset_id)
    assert (curve["id"], curve["status"], curve["error"]) == (started["id"], "completed", None)
    card = system.ok("GET", f"/v1/datasets/{dataset_id}/card")
    points = curve["points"]
    assert [point["share"] for point in points] == [0.125, 0.25, 0.5, 1.0]
    assert points[-1]["examples"] == card["train_rows"]
    assert all(abs(point["examples"] - point["share"] * card["train_rows"]) <= 1 for point in points)
    assert {point["score"]["total"] for point in points} == {card["validation_rows"]}
    low, high = curve["forecast"]["interval"]
    assert low <= curve["forecast"]["gain"] <= high
    assert curve["sentence"].startswith("twice the data: ")
    assert system.ok("GET", f"/v1/datasets/{dataset_id}/report")["learning_curve"] == curve
    text = system.ok("GET", f"/v1/datasets/{dataset_id}/report?format=markdown")
    assert "What more examples would bring" in text
    record = LearningCurve.load(curve["id"])
    parts = [set(blobs.lines(record.key(f"part-{number}.jsonl"))) for number in range(4)]
    assert parts[0] < parts[1] < parts[2] < parts[3]
    graph = system.ok("GET", f"/v1/lineage/{dataset_id}")
    assert {point["model"] for point in points} <= {node["id"] for node in graph["nodes"]}
    system.ok("DELETE", f"/v1/datasets/{dataset_id}")
    assert not list(blobs.keys(f"datasets/{dataset_id}/"))


@pytest.mark.soak
def test_each_part_has_one_job_whatever_call_fails(
    system: System, dataset_id: str, monkeypatch: pytest.MonkeyPatch, soak: bool
) -> None:
    for n in range(1, 60, 3) if soak else (9,):
        for when in ("before", "after"):
            hook = Hook(n, when)
            system.around = hook.around
            with injected(hook, monkeypatch):
                started = asked(system, dataset_id, seed=2 * n + (when == "after"))
                system.settle()
            curve = LearningCurve.load(started["id"])
            assert curve.status == "completed"
            url = f"{system.lab}/v1/fine_tuning/jobs?metadata[stillhouse_intent]="
            jobs = [httpx.get(url + point.job_id).json()["data"] for point in curve.points]
            assert [len(of_point) for of_point in jobs] == [1, 1, 1, 1]
            assert all(point.score for point in curve.points)


def test_a_part_that_does_not_train_leaves_its_point_out(system: System, dataset_id: str) -> None:
    curve_id = asked(system, dataset_id)["id"]
    assert system.call("DELETE", f"/v1/datasets/{dataset_id}")[0] == 409, "it trains"
    system.deliver("DISTILLING")
    first = LearningCurve.load(curve_id).job_id(0)
    system.ok("POST", f"/v1/fine_tuning/jobs/{first}/cancel")
    curve = ended(system, dataset_id)
    assert (curve["status"], curve["points"][0]["error"]) == ("completed", "Its job ended as cancelled.")
    assert [bool(point["score"]) for point in curve["points"]] == [False, True, True, True]
    assert curve["forecast"]


def test_all_trainings_are_held_to_the_limit_together(
    system: System, dataset_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.prices.training_nanodollars", lambda _: 1.0)
    limit = 10.0
    curve_id = asked(system, dataset_id, max_cost_usd=limit, hyperparameters={"n_epochs": 1})["id"]
    # By now all examples alone cost less than the limit, and the four parts together more.
    of_all = blobs.size(f"datasets/{dataset_id}/train.jsonl") / 4 / 1e9
    monkeypatch.setattr("providers.prices.training_nanodollars", lambda _: 0.8 * limit / of_all)
    curve = ended(system, dataset_id)
    assert (curve["status"], curve["error"]["code"]) == ("failed", "job_failed")
    jobs = [Job.load(LearningCurve.load(curve_id).job_id(number)) for number in range(4)]
    assert {job.error and job.error.code for job in jobs} == {"over_budget"}
    assert limit <= sum(job.max_cost_usd or 0 for job in jobs) <= limit + 0.04


def test_a_run_that_is_deleted_leaves_its_point_out(system: System, dataset_id: str) -> None:
    curve = LearningCurve.load(asked(system, dataset_id)["id"])
    run = ended_run(status="in_progress", learning_curve_id=curve.id, eval_id=curve.eval_id)
    point = LearningPoint(share=1.0, examples=9, job_id="ftjob-1", model="ft:m", run_id=run.id)
    curve.change({"status": "grading", "points": [point]})
    system.deliver("DISTILLING")
    assert LearningCurve.load(curve.id).status == "grading"
    system.ok("DELETE", f"/v1/evals/{curve.eval_id}/runs/{run.id}")
    system.deliver("DISTILLING")
    assert LearningCurve.load(curve.id).status == "completed"


def test_a_curve_of_pairs_trains_on_pairs(system: System) -> None:
    mails = [f"mail {number}" for number in range(100)]
    build.captured(system, [build.record(100 + n, mail, split="train") for n, mail in enumerate(mails)])
    stored, student = (ended_run(*(Answered(mail, says, says == "yes") for mail in mails)) for says in ("yes", "no"))
    recipe = {"steps": [], "method": "dpo", "runs": [stored.id, student.id]}
    made = system.ok("POST", "/v1/datasets", {"source": build.source("train"), "recipe": recipe})["id"]
    system.settle()
    refused = {"eval_id": loop.create_eval(system), "student": loop.STUDENT, "trainer": "bedrock"}
    status, answer = system.call("POST", f"/v1/datasets/{made}/learning_curves", refused)
    assert (status, answer["error"]["param"], answer["error"]["code"]) == (400, "trainer", "unsupported_method")
    curve = LearningCurve.load(asked(system, made)["id"])
    system.deliver("DISTILLING")
    assert {Job.load(curve.job_id(number)).method for number in range(4)} == {"dpo"}


def test_what_learnt_a_prompt_of_its_own_is_asked_with_it(system: System) -> None:
    loop.capture(system, "prompt", train=100, test=1)
    recipe = {"steps": [{"rule": "prompt", "text": "Answer with billing, login or shipping."}]}
    made = system.ok("POST", "/v1/datasets", {"source": loop.source("train", "prompt"), "recipe": recipe})
    system.settle()
    curve = LearningCurve.load(asked(system, made["id"])["id"])
    system.settle()
    source = Run.load(curve.run_id(3)).data_source
    assert isinstance(source, CompletionsSource)
    assert source.system_prompt
    assert source.system_prompt.text == "Answer with billing, login or shipping."


def test_asking_again_is_the_same_curve_and_has_it_go_on(system: System, dataset_id: str) -> None:
    body = {"eval_id": loop.create_eval(system), "student": loop.STUDENT}
    url = f"/v1/datasets/{dataset_id}/learning_curves"
    assert system.ok("POST", url, body)["id"] == system.ok("POST", url, body)["id"]
    system.ok("POST", url, {**body, "seed": 7})
    assert len(system.ok("GET", url)["data"]) == 2, "another seed is another curve"


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"eval_id": "eval_nobody"}, (404, "eval_id", "not_found")),
        ({"student": "nobody"}, (404, "student", "model_not_found")),
        ({"student": ""}, (400, "student", "invalid_value")),
        ({"trainer": "sagemaker"}, (400, "trainer", "unsupported")),
        ({"trainer": "moon"}, (400, "trainer", "invalid_value")),
        ({"hyperparameters": {"n_epochs": 51}}, (400, "hyperparameters.n_epochs", "invalid_value")),
        ({"max_cost_usd": 1}, (400, "max_cost_usd", "no_price")),
        ({"max_cost_usd": -1}, (400, "max_cost_usd", "invalid_value")),
        ({"examples": 1}, (400, "examples", "unknown_parameter")),
    ],
)
def test_what_cannot_work_is_refused_by_its_field(
    fields: dict[str, Any], refusal: tuple[int, str, str], system: System, dataset_id: str
) -> None:
    body = {"eval_id": loop.create_eval(system), "student": loop.STUDENT, **fields}
    status, answer = system.call("POST", f"/v1/datasets/{dataset_id}/learning_curves", body)
    assert (status, answer["error"]["param"], answer["error"]["code"]) == refusal


def test_a_set_that_is_too_small_or_a_dry_run_carries_no_curve(system: System) -> None:
    loop.capture(system, "few", train=30, test=1)
    for more, code in (({}, "wrong_size"), ({"dry_run": True}, "not_ready")):
        made = system.ok("POST", "/v1/datasets", {"source": loop.source("train", "few"), **more})
        system.settle()
        body = {"eval_id": loop.create_eval(system), "student": loop.STUDENT}
        status, refusal = system.call("POST", f"/v1/datasets/{made['id']}/learning_curves", body)
        assert (status, refusal["error"]["param"], refusal["error"]["code"]) == (400, "dataset_id", code)


def test_a_curve_whose_step_cannot_be_taken_ends_with_the_reason(system: System, dataset_id: str) -> None:
    curve_id = asked(system, dataset_id)["id"]
    blobs.delete([f"datasets/{dataset_id}/manifest.jsonl"])
    for _ in range(8):
        system.deliver("DISTILLING")
    curve = LearningCurve.load(curve_id)
    assert (curve.status, curve.error and curve.error.code) == ("failed", "step_failed")
