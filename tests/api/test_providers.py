"""Providers over HTTP: added, shown without their keys, changed, tried, and kept while something needs them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from distillations.distillation import Distillation
from distillations.job import Job
from evals.run import Run
from foundation import aws, table
from foundation.settings import settings
from providers import registry
from providers.model_version import ModelVersion
from providers.saved import SavedProvider
from tests.api.keys import key_with
from tests.distillations.documents import distillation
from tests.flow.system import System
from tests.rolling_out.calls import begun

URL = "/v1/providers"
KEY = "sk-very-secret-1"
NEW: dict[str, Any] = {"name": "alpha", "base_url": "https://alpha.example/v1", "api_key": KEY, "models": ["gpt-x"]}
DEPLOYMENT = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghij12"


def create(system: System, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = system.ok("POST", URL, {**NEW, **fields})
    return made


def refused(system: System, method: str, url: str, body: Any = None) -> tuple[int, str, str]:
    """The status, the code and the param of a refusal."""
    status, answer = system.call(method, url, body)
    assert KEY not in json.dumps(answer)
    return status, answer["error"]["code"], answer["error"]["param"]


def secrets() -> dict[str, str]:
    named = [one["Name"] for one in aws.secretsmanager().list_secrets()["SecretList"]]
    ours = [name for name in named if name.startswith("stillhouse/providers/")]
    return {name: aws.secretsmanager().get_secret_value(SecretId=name)["SecretString"] for name in ours}


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    """What is refreshed after a minute is refreshed for each test."""
    registry.forget()
    yield
    registry.forget()


def test_it_is_added_shown_and_listed_and_its_key_is_in_its_secret_alone(system: System) -> None:
    made = create(system, trains_others="no", trains_others_note="See section 3.")
    assert made == {
        "id": "alpha",
        "object": "provider",
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
        "origin": "api",
        "kind": "openai",
        "base_url": "https://alpha.example/v1",
        "region": None,
        "has_key": True,
        "has_webhook_secret": False,
        "webhook_url": "https://api.test/v1/hooks/alpha",
        "models": ["gpt-x"],
        "responses": None,
        "requests_per_second": 0,
        "concurrency": 200,
        "prices": None,
        "trains_others": "no",
        "trains_others_note": "See section 3.",
    }
    assert system.ok("GET", f"{URL}/alpha") == made
    page = system.ok("GET", URL)
    assert [(one["id"], one["origin"], one["has_key"]) for one in page["data"]] == [
        ("default", "template", False),
        ("alpha", "api", True),
    ]
    assert list(secrets().values()) == [KEY]
    rows = [row for name in ("PROVIDER", "LIST#PROVIDER") for row in table.query(name)]
    assert KEY not in json.dumps(rows, default=str) + json.dumps(page)


def test_the_key_is_in_no_log(system: System, caplog: pytest.LogCaptureFixture, capsys: Any) -> None:
    create(system)
    refused(system, "POST", URL, {**NEW, "name": "b c"})
    refused(system, "POST", URL, {**NEW, "name": "beta", "api_key": f"{KEY} with spaces"})
    refused(system, "POST", f"{URL}/alpha", {"api_key": 3})
    assert KEY not in caplog.text + "".join(capsys.readouterr())


def test_who_may_read_may_not_change(system: System) -> None:
    reader = key_with("read")
    assert system.call("GET", URL, key=reader)[0] == 200
    for method, url, body in (
        ("POST", URL, NEW),
        ("DELETE", f"{URL}/alpha", None),
        ("POST", f"{URL}/default/test", {}),
    ):
        assert system.call(method, url, body, key=reader)[0] == 403


def test_a_name_is_given_once_and_a_repeated_request_is_no_second_one(system: System) -> None:
    made = create(system)
    assert refused(system, "POST", URL, {**NEW, "models": []}) == (409, "provider_exists", "name")
    again = system.call("POST", URL, NEW, headers={"x-stainless-retry-count": "1"})
    assert again == (201, made)
    assert refused(system, "POST", URL, {**NEW, "name": "default"}) == (409, "name_taken", "name")
    assert len(secrets()) == 1


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"base_url": None}, "missing_required_parameter", "base_url"),
        ({"base_url": "alpha.example"}, "invalid_value", "base_url"),
        ({"base_url": "https://user:pw@alpha.example/v1"}, "invalid_value", "base_url"),
        ({"region": "us-east-1"}, "invalid_value", "region"),
        ({"kind": "azure"}, "invalid_value", "kind"),
        ({"kind": "bedrock", "base_url": None}, "invalid_value", "api_key"),
        ({"kind": "bedrock", "base_url": None, "api_key": None, "models": []}, "missing_required_parameter", "models"),
        ({"kind": "sagemaker", "base_url": None, "api_key": None}, "missing_required_parameter", "base_url"),
        ({"kind": "bedrock", "base_url": None, "api_key": None, "region": "mars"}, "invalid_value", "region"),
        ({"kind": "bedrock", "base_url": None, "api_key": None, "responses": True}, "invalid_value", "responses"),
        ({"models": ["m"] * 101}, "invalid_value", "models"),
        ({"models": [""]}, "invalid_value", "models[0]"),
        ({"concurrency": -1}, "invalid_value", "concurrency"),
        ({"trains_others": "maybe"}, "invalid_value", "trains_others"),
        ({"trains_others_note": "x" * 2049}, "invalid_value", "trains_others_note"),
        ({"prices": {"models": {}}}, "missing_required_parameter", "prices.as_of"),
        ({"prices": {"as_of": "x", "models": {"m": {"input": 1, "output": "1"}}}}, "invalid_value",
         "prices.models.m.input"),
        ({"secret": "x"}, "unknown_parameter", "secret"),
    ],
)  # fmt: skip
def test_what_a_kind_does_not_take_is_named(system: System, fields: dict[str, Any], code: str, param: str) -> None:
    body = {name: value for name, value in {**NEW, **fields}.items() if value is not None}
    assert refused(system, "POST", URL, body) == (400, code, param)
    assert not secrets()


def test_a_provider_of_aws_needs_no_key(system: System) -> None:
    made = system.ok("POST", URL, {"name": "nova", "kind": "bedrock", "region": "us-west-2", "models": [DEPLOYMENT]})
    assert (made["has_key"], made["region"], made["base_url"]) == (False, "us-west-2", None)
    assert DEPLOYMENT in [model["id"] for model in system.ok("GET", "/v1/models")["data"]]
    assert system.ok("GET", f"/v1/models/{DEPLOYMENT.replace('/', '%2F')}")["owned_by"] == "nova"


def test_it_is_changed_and_what_is_absent_stays(system: System) -> None:
    made = create(system, trains_others_note="why", responses=True)
    changed = system.ok("POST", f"{URL}/alpha", {"models": ["gpt-y"], "trains_others_note": None})
    assert changed == {**made, "models": ["gpt-y"], "trains_others_note": None, "updated_at": changed["updated_at"]}
    assert refused(system, "POST", f"{URL}/alpha", {"models": None}) == (400, "invalid_value", "models")
    assert refused(system, "POST", f"{URL}/alpha", {"base_url": None}) == (
        400,
        "missing_required_parameter",
        "base_url",
    )
    assert refused(system, "POST", f"{URL}/alpha", {"kind": "bedrock"}) == (400, "unknown_parameter", "kind")
    assert refused(system, "POST", f"{URL}/none", {}) == (404, "not_found", "name")


def test_a_rotated_key_takes_the_old_one_s_place(system: System) -> None:
    made = create(system)
    system.ok("POST", f"{URL}/alpha", {"api_key": "sk-2"})
    assert list(secrets().values()) == ["sk-2"]
    assert registry.providers().resolve("gpt-x").provider._key.text() == "sk-2"
    keyless = create(system, name="beta", api_key="sk-3")
    assert keyless["has_key"] is made["has_key"] is True


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_provider_of_the_template_is_read_only(system: System, method: str) -> None:
    body = {"models": ["x"]} if method == "POST" else None
    assert refused(system, method, f"{URL}/default", body) == (409, "provider_of_template", "name")
    shown = system.ok("GET", f"{URL}/default")
    assert (shown["origin"], shown["created_at"], shown["base_url"]) == ("template", None, f"{system.lab}/v1")


def test_it_goes_with_its_key(system: System) -> None:
    create(system)
    assert system.ok("DELETE", f"{URL}/alpha") == {"id": "alpha", "object": "provider.deleted", "deleted": True}
    assert system.call("GET", f"{URL}/alpha")[0] == 404
    assert system.call("DELETE", f"{URL}/alpha")[0] == 404
    assert not secrets()
    assert create(system)["id"] == "alpha"


def test_a_key_of_the_stack_that_had_the_table_before_is_replaced_and_not_touched(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stack's role reaches the secrets under its own name alone."""
    create(system)
    (theirs,) = secrets()
    monkeypatch.setenv("STACK_NAME", "stillhouse-adopted")
    settings.cache_clear()
    system.ok("POST", f"{URL}/alpha", {"api_key": "sk-new"})
    ours = SavedProvider.load("alpha").secret_id
    assert ours.startswith("stillhouse-adopted/providers/alpha-")
    assert aws.secretsmanager().get_secret_value(SecretId=ours)["SecretString"] == "sk-new"
    assert system.ok("DELETE", f"{URL}/alpha")["deleted"]
    assert secrets() == {theirs: KEY}


# ------------------------------------------------------------------ what needs it


def an_open_run(system: System) -> Callable[[], Any]:
    config = {"type": "custom", "item_schema": {"type": "object"}}
    judge = {
        "type": "label_model",
        "name": "judge",
        "model": "gpt-x",
        "input": [{"role": "user", "content": "{{ item.q }}"}],
        "labels": ["yes", "no"],
        "passing_labels": ["yes"],
    }
    eval_ = system.ok("POST", "/v1/evals", {"data_source_config": config, "testing_criteria": [judge]})
    rows = {"type": "file_content", "content": [{"item": {"q": "?"}}]}
    run = system.ok("POST", f"/v1/evals/{eval_['id']}/runs", {"data_source": {"type": "jsonl", "source": rows}})
    return Run.load(run["id"]).cancel


def a_distillation_whose_judge_is_there(system: System) -> Callable[[], Any]:
    """Between its runs: none of them is open."""
    an_open_run(system)()
    (eval_,) = system.ok("GET", "/v1/evals")["data"]
    made = distillation("training", eval_id=eval_["id"])
    made.create()
    return lambda: Distillation.load(made.id).change({"status": "cancelled"})


def an_open_distillation(system: System) -> Callable[[], Any]:
    assert system
    made = distillation("measuring", teacher="gpt-x")
    made.create()
    return lambda: Distillation.load(made.id).change({"status": "cancelled"})


def a_trained_model(system: System) -> Callable[[], Any]:
    assert system
    version = ModelVersion(id="ft:m", created_at=1, provider="alpha", base="m", trainer="")
    version.create()
    return lambda: version.change({"retired_at": 2})


def a_distillation_that_is_trained_there(system: System) -> Callable[[], Any]:
    assert system
    made = distillation("measuring", trainer="alpha")
    made.create()
    return lambda: Distillation.load(made.id).change({"status": "cancelled"})


def an_open_job_that_no_distillation_asked_for(system: System) -> Callable[[], Any]:
    assert system
    job = Job(id="ftjob-1", created_at=1, trainer="alpha", model="gpt-x", seed=1)
    job.create()
    return lambda: job.change({"status": "cancelled"})


def an_open_rollout_to_a_model_there(system: System) -> Callable[[], Any]:
    assert system
    rollout = begun(candidate="gpt-x")
    return lambda: rollout.change({"status": "canceled"})


@pytest.mark.parametrize(
    "need",
    [
        an_open_run,
        an_open_rollout_to_a_model_there,
        an_open_distillation,
        a_distillation_whose_judge_is_there,
        a_distillation_that_is_trained_there,
        an_open_job_that_no_distillation_asked_for,
        a_trained_model,
    ],
)
def test_it_stays_while_something_needs_it(system: System, need: Callable[[System], Callable[[], Any]]) -> None:
    create(system)
    registry.forget()
    ended = need(system)
    status, answer = system.call("DELETE", f"{URL}/alpha")
    assert (status, answer["error"]["code"]) == (409, "provider_needed")
    assert any(
        name in answer["error"]["message"]
        for name in ("run evalrun_", "the distillation ", "job ftjob-1", "model ft:m", "the rollout rollout_")
    )
    assert SavedProvider.find("alpha")
    assert len(secrets()) == 1
    ended()
    assert system.call("DELETE", f"{URL}/alpha")[0] == 200


def test_the_terms_of_the_teacher_s_provider_are_noted_with_the_distillation(system: System) -> None:
    create(system, trains_others="no", trains_others_note="See section 3.")
    registry.forget()
    noted = registry.terms_of("gpt-x")
    assert noted
    assert noted.model_dump() == {"provider": "alpha", "trains_others": "no", "note": "See section 3."}
    by_default = registry.terms_of("any")
    assert by_default
    assert (by_default.provider, by_default.trains_others) == ("default", "unknown")
    create(system, name="beta")
    registry.forget()
    assert registry.terms_of("gpt-x") is None


# ------------------------------------------------------------------ one call


def test_a_trial_says_what_it_saw(system: System) -> None:
    create(system, name="lab", base_url=f"{system.lab}/v1", models=["lab-small"])
    seen = system.ok("POST", f"{URL}/lab/test", {})
    assert (seen["object"], seen["provider"], seen["model"]) == ("provider.test", "lab", "lab-small")
    assert (seen["ok"], seen["status"], seen["message"]) == (True, 200, None)
    assert seen["answer"]
    assert seen["latency_ms"] >= 0
    assert seen["completion_tokens"] > 0
    assert system.ok("POST", f"{URL}/default/test", {"model": "lab-small"})["ok"] is True


def test_a_trial_that_fails_is_no_error_of_ours(system: System) -> None:
    create(system, name="lab", base_url=f"{system.lab}/v1", models=["lab-small"])
    seen = system.ok("POST", f"{URL}/lab/test", {"model": "none"})
    assert (seen["ok"], seen["status"], seen["code"]) == (False, 404, "model_not_found")
    assert "none" in seen["message"]
    create(system, name="away", base_url="http://127.0.0.1:9/v1")
    seen = system.ok("POST", f"{URL}/away/test", {})
    assert (seen["ok"], seen["status"], seen["answer"]) == (False, 504, None)


def test_a_trial_wants_to_know_the_model(system: System) -> None:
    assert refused(system, "POST", f"{URL}/default/test", {}) == (400, "missing_required_parameter", "model")
    assert refused(system, "POST", f"{URL}/none/test", {}) == (404, "not_found", "name")
