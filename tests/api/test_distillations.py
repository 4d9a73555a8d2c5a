"""Distillations over HTTP: what is refused before anything is created, and the verbs on one that exists."""

from __future__ import annotations

import time
from typing import Any

import pytest

from aliases import changing
from aliases.changing import Said
from distillations.distillation import Distillation
from foundation import ids
from tests.aliases.build import routing
from tests.flow import loop
from tests.flow.system import System


@pytest.fixture
def body(system: System) -> dict[str, Any]:
    """A sound request, with completions to fill it."""
    loop.capture(system, "d", train=24, test=3)
    return {
        "name": "triage",
        "eval_id": loop.create_eval(system),
        "test": loop.source("test", "d"),
        "train": loop.source("train", "d"),
        "teacher": loop.TEACHER,
        "student": loop.STUDENT,
    }


def create(system: System, body: dict[str, Any], **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = system.ok("POST", "/v1/distillations", {**body, **fields})
    return made


def test_a_distillation_is_created_queued_and_read_back(system: System, body: dict[str, Any]) -> None:
    status, made = system.call("POST", "/v1/distillations", {**body, "metadata": {"team": "mail"}})
    assert status == 201
    assert made["id"].startswith("distill_")
    assert (made["object"], made["status"], made["trainer"]) == ("distillation", "queued", "default")
    assert (made["teacher"], made["student"]) == (loop.TEACHER, loop.STUDENT)
    assert made["metadata"] == {"team": "mail"}
    assert [step["status"] for step in made["history"]] == ["queued"]
    for empty in ("verdict", "plan", "dataset_id", "job_id", "model", "error"):
        assert made[empty] is None
    assert "outbox" not in made
    assert system.ok("GET", f"/v1/distillations/{made['id']}") == made


def test_the_model_behind_an_alias_teaches_and_the_alias_is_kept(system: System, body: dict[str, Any]) -> None:
    mixed = routing((loop.STUDENT, 1), (loop.TEACHER, 9))
    changing.put("quick", mixed, Said("ada"))
    changing.put("slow", mixed, Said("ada"))
    made = create(system, body, teacher="quick")
    assert (made["teacher"], made["alias"]) == (loop.TEACHER, "quick")
    made = create(system, body, teacher="quick", alias="slow")
    assert (made["teacher"], made["alias"]) == (loop.TEACHER, "slow")
    assert create(system, body)["alias"] is None
    status, refusal = system.call("POST", "/v1/distillations", {**body, "alias": "none"})
    assert (status, refusal["error"]["param"]) == (404, "alias")


def test_several_trainings_are_kept_as_they_were_asked_for(system: System, body: dict[str, Any]) -> None:
    asked = {"student": [loop.STUDENT, "lab-judge"], "hyperparameters": [{"n_epochs": 1}, {"n_epochs": "auto"}]}
    made = create(system, body, **asked)
    assert (made["student"], made["students"]) == (loop.STUDENT, asked["student"])
    assert made["hyperparameters"] == asked["hyperparameters"]
    assert (made["checkpoints"], made["attempts"]) == ("last", [])
    assert create(system, body, student=[loop.STUDENT])["students"] == [], "one is no choice"


def test_both_filters_end_now_at_the_latest(system: System, body: dict[str, Any]) -> None:
    body["test"] |= {"created_before": 1_790_002_000}
    body["train"] |= {"created_before": 9_000_000_000}
    made = create(system, body)
    assert made["test"]["created_before"] == 1_790_002_000
    assert abs(made["train"]["created_before"] - time.time()) < 60


def bad(body: dict[str, Any]) -> dict[str, tuple[dict[str, Any], int, str, str | None]]:
    """What is wrong, and what the refusal must say: status, param, code."""
    nobody = loop.source("test", "nobody")
    file = {"type": "file_id", "id": "file-nobody"}
    missing, invalid, unknown = "missing_required_parameter", "invalid_value", "unknown_parameter"
    return {
        "no name": ({"name": None}, 400, "name", missing),
        "an empty name": ({"name": ""}, 400, "name", invalid),
        "no eval": ({"eval_id": None}, 400, "eval_id", missing),
        "an unknown eval": ({"eval_id": "eval_nobody"}, 404, "eval_id", "not_found"),
        "no test": ({"test": None}, 400, "test", missing),
        "a test that selects nothing": ({"test": nobody}, 400, "test", "no_rows"),
        "a train that selects nothing": ({"train": nobody}, 400, "train", "no_rows"),
        "a source of no kind": ({"test": {"type": "moon"}}, 400, "test", invalid),
        "a file that is not there": ({"test": file}, 404, "test.id", "not_found"),
        "a file to train on": ({"train": file}, 400, "train", "unsupported_source"),
        "no teacher": ({"teacher": None}, 400, "teacher", missing),
        "a teacher that answered nothing": ({"teacher": "nobody"}, 404, "teacher", "model_not_found"),
        "training on another model": ({"train": {**body["train"], "model": "gpt"}}, 400, "train.model", invalid),
        "no student": ({"student": None}, 400, "student", missing),
        "an unknown student": ({"student": "nobody"}, 404, "student", "model_not_found"),
        "an unknown contender": ({"contenders": ["nobody"]}, 404, "contenders[0]", "model_not_found"),
        "a contender twice": ({"contenders": ["a", "a"]}, 400, "contenders", invalid),
        "more contenders than eight": ({"contenders": list("abcdefghi")}, 400, "contenders", invalid),
        "a contender that is the student": ({"contenders": [loop.STUDENT]}, 400, "contenders[0]", invalid),
        "a contender that is the teacher": ({"contenders": [loop.TEACHER]}, 400, "contenders[0]", invalid),
        "a contender without a name": ({"contenders": [""]}, 400, "contenders[0]", invalid),
        "an unknown trainer": ({"trainer": "moon"}, 400, "trainer", invalid),
        "an impossible gate": ({"gate": {"power": 2}}, 400, "gate.power", invalid),
        "a gate that means nothing": ({"gate": {"luck": 1}}, 400, "gate.luck", unknown),
        "a hyperparameter of no trainer": ({"hyperparameters": {"epochs": 1}}, 400, "hyperparameters.epochs", unknown),
        "one of a wrong type": ({"hyperparameters": {"n_epochs": "many"}}, 400, "hyperparameters.n_epochs", invalid),
        "no set of hyperparameters": ({"hyperparameters": []}, 400, "hyperparameters", invalid),
        "one set of several": (
            {"hyperparameters": [{}, {"n_epochs": 51}]},
            400,
            "hyperparameters[1].n_epochs",
            invalid,
        ),
        "the same training twice": (
            {"hyperparameters": [{"n_epochs": 1}, {"n_epochs": 1}]},
            400,
            "hyperparameters[1]",
            invalid,
        ),
        "one unknown student of several": ({"student": [loop.STUDENT, "nobody"]}, 404, "student[1]", "model_not_found"),
        "a contender that is one of several students": (
            {"student": [loop.STUDENT, "lab-judge"], "contenders": ["lab-judge"]},
            400,
            "contenders[0]",
            invalid,
        ),
        "several without rows to choose by": (
            {"hyperparameters": [{"n_epochs": 1}, {}], "recipe": {"validation_share": 0}},
            400,
            "recipe.validation_share",
            invalid,
        ),
        "checkpoints of a trainer without": (
            {"trainer": "file", "checkpoints": "best"},
            400,
            "checkpoints",
            "unsupported",
        ),
        "checkpoints of no kind": ({"checkpoints": "first"}, 400, "checkpoints", invalid),
        "a budget that no price is known for": ({"gate": {"max_cost_usd": 1}}, 400, "gate.max_cost_usd", "no_price"),
        "a gain below the minimum": (
            {"gate": {"expected_gain": 0.1, "min_gain": 0.1}},
            400,
            "gate.expected_gain",
            invalid,
        ),
        "a group that no row has": ({"gate": {"group_by": "user"}}, 400, "gate.group_by", invalid),
        "a test that is trained on": ({"test": body["train"]}, 400, "train", "too_few_examples"),
        "history that the recipe leaves out": (
            {"train_on_history": True, "recipe": {"seed": 1}},
            400,
            "train_on_history",
            invalid,
        ),
        "a negative seed": ({"seed": -1}, 400, "seed", invalid),
        "a limit of none": ({"train": {**body["train"], "limit": 0}}, 400, "train.limit", invalid),
        "a number in metadata": ({"metadata": {"a": 1}}, 400, "metadata.a", invalid),
    }


def test_bad_input_is_refused_naming_its_field_and_creates_nothing(system: System, body: dict[str, Any]) -> None:
    wrong = {}
    for case, (fields, status, param, code) in bad(body).items():
        asked = {name: value for name, value in {**body, **fields}.items() if value is not None}
        answered, refusal = system.call("POST", "/v1/distillations", asked)
        error = refusal.get("error", {})
        if (answered, error.get("param"), error.get("code")) != (status, param, code) or not error["message"]:
            wrong[case] = (answered, error)
    assert wrong == {}
    assert system.ok("GET", "/v1/distillations")["data"] == []
    assert system.deliver("DISTILLING") == 0


def test_a_dataset_that_another_model_answered_is_refused(system: System, body: dict[str, Any]) -> None:
    dataset = system.ok("POST", "/v1/datasets", {"source": body["train"]})["id"]
    asked = {**body, "train": {"type": "dataset", "id": dataset}}
    status, refusal = system.call("POST", "/v1/distillations", {**asked, "teacher": loop.STUDENT})
    assert (status, refusal["error"]["param"], refusal["error"]["code"]) == (400, "train", "no_rows")
    assert create(system, asked)["train"]["id"] == dataset


def test_the_examples_are_counted_by_the_recipe_that_makes_the_set(system: System, body: dict[str, Any]) -> None:
    few = {**body, "train": {**body["train"], "limit": 10}}
    status, refusal = system.call("POST", "/v1/distillations", {**few, "recipe": {"validation_share": 0.9}})
    assert (status, refusal["error"]["code"]) == (400, "too_few_examples")
    assert "a share of 0.9 validates" in refusal["error"]["message"]
    assert create(system, few, recipe={"validation_share": 0})["recipe"]["validation_share"] == 0


def test_a_retried_post_makes_one_distillation(
    system: System, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = create(system, body)
    clock = ids.now_ms
    monkeypatch.setattr(ids, "now_ms", lambda: clock() + 20_000)
    retry = {"x-stainless-retry-count": "1"}
    status, again = system.call("POST", "/v1/distillations", body, headers=retry)
    assert (status, again) == (201, first)
    assert [distillation["id"] for distillation in system.ok("GET", "/v1/distillations")["data"]] == [first["id"]]


def test_distillations_are_listed_newest_first_page_by_page(
    system: System, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ids.now_ms
    made = []
    for number in range(3):
        monkeypatch.setattr(ids, "now_ms", lambda number=number: clock() + number * 5_000)
        made.append(create(system, body, name=str(number))["id"])
    page = system.ok("GET", "/v1/distillations?limit=2")
    assert ([distillation["id"] for distillation in page["data"]], page["has_more"]) == (made[:0:-1], True)
    rest = system.ok("GET", f"/v1/distillations?limit=2&after={page['last_id']}")
    assert ([distillation["id"] for distillation in rest["data"]], rest["has_more"]) == (made[:1], False)
    ascending = system.ok("GET", "/v1/distillations?order=asc")
    assert [distillation["id"] for distillation in ascending["data"]] == made


def test_an_unknown_distillation_is_not_found(system: System) -> None:
    for method, verb in (("GET", ""), ("POST", "/approve"), ("POST", "/cancel")):
        status, refusal = system.call(method, f"/v1/distillations/distill_nobody{verb}")
        assert (status, refusal["error"]["param"]) == (404, "distillation_id")


def test_only_a_blocked_one_can_be_approved(system: System, body: dict[str, Any]) -> None:
    made = create(system, body)
    path = f"/v1/distillations/{made['id']}/approve"
    status, refusal = system.call("POST", path)
    assert (status, refusal["error"]["code"]) == (409, "not_blocked")
    assert "queued" in refusal["error"]["message"]
    assert system.headers["x-should-retry"] == "false"
    assert system.ok("GET", f"/v1/distillations/{made['id']}")["approved_at"] is None
    Distillation.load(made["id"]).change({"status": "blocked"})
    assert system.ok("POST", path)["approved_at"] is not None
    assert system.call("POST", path)[0] in {200, 409}


def test_one_that_goes_on_can_be_cancelled_and_an_ended_one_not(system: System, body: dict[str, Any]) -> None:
    made = create(system, body)
    path = f"/v1/distillations/{made['id']}/cancel"
    system.ok("POST", path)
    system.settle()
    ended = loop.fetched(system, made["id"])
    assert ended["status"] == "cancelled"
    status, refusal = system.call("POST", path)
    assert (status, refusal["error"]["code"]) == (409, "already_ended")
    assert system.headers["x-should-retry"] == "false"
