"""Whose model it is decides who is asked: by its name alone, by the provider before it, else the default one."""

from __future__ import annotations

from typing import Any

import pytest
from openai import OpenAI

from tests.cloud import aws_client
from tests.flow.system import System
from tests.gateway.conftest import CHAT, listed
from tests.gateway.provider import REQUEST, Further, Said, Scripted


def ask(system: System, model: str, **fields: Any) -> tuple[int, Any]:
    return system.call("POST", CHAT, {**REQUEST, "model": model, **fields})


EVAL = {
    "data_source_config": {"type": "custom", "item_schema": {"type": "object"}},
    "testing_criteria": [
        {"type": "string_check", "name": "n", "input": "{{ sample.output_text }}", "reference": "x", "operation": "eq"}
    ],
}
NAMES = {
    "gpt-x": ("alpha", "gpt-x"),
    "org/llama": ("beta", "org/llama"),
    "beta/gpt-x": ("beta", "gpt-x"),
    "gamma/anything:at-all": ("gamma", "anything:at-all"),
    "gamma/org/llama": ("gamma", "org/llama"),
    "lab-small": ("default", "lab-small"),
    "nobody/llama": ("default", "nobody/llama"),
    "gamma/": ("default", "gamma/"),
    "gamma": ("default", "gamma"),
}


def test_a_name_finds_its_provider(system: System, provider: Scripted, further: Further) -> None:
    everyone = {"default": provider, **further(alpha=["gpt-x"], beta=["org/llama"], gamma=None)}
    for model, (who, upstream) in NAMES.items():
        assert ask(system, model)[0] == 200
        asked = [(name, request["model"]) for name, script in everyone.items() for request in script.asked]
        assert asked == [(who, upstream)], model
        assert everyone[who].keys == [None if who == "default" else f"Bearer key-of-{who}"]
        everyone[who].asked.clear()
        everyone[who].keys.clear()


def test_a_name_that_several_list_is_nobodys(system: System, provider: Scripted, further: Further) -> None:
    others = further(alpha=["gpt-x"], beta=["gpt-x"])
    status, refusal = ask(system, "gpt-x", store=True)
    assert (status, refusal["error"]["code"], refusal["error"]["param"]) == (404, "model_not_found", "model")
    assert "alpha, beta" in refusal["error"]["message"]
    assert "'alpha/gpt-x'" in refusal["error"]["message"]
    assert not [script.asked for script in (provider, *others.values()) if script.asked]
    assert ask(system, "beta/gpt-x")[1]["id"] == "chatcmpl-beta"
    status, refusal = system.call("GET", "/v1/models/gpt-x")
    assert (status, refusal["error"]["code"]) == (404, "model_not_found")
    assert "alpha, beta" in refusal["error"]["message"]


def test_what_was_captured_is_found_under_the_name_that_was_asked_for(
    system: System, provider: Scripted, further: Further
) -> None:
    assert provider
    further(gamma=None)
    ask(system, "gamma/llama", store=True)
    for name in ("gamma%2Fllama", "of-gamma"):
        assert [completion["id"] for completion in listed(system, f"?model={name}")] == ["chatcmpl-gamma"]


def test_the_models_of_all_are_listed_under_the_names_that_reach_them(
    system: System, provider: Scripted, further: Further
) -> None:
    provider.models = ["lab-small", "gpt-x"]
    others = further(alpha=["gpt-x", "both"], beta=["both"], gamma=None, delta=None)
    others["gamma"].models = ["org/llama"]
    owners = {model["id"]: model["owned_by"] for model in system.ok("GET", "/v1/models")["data"]}
    assert owners == {
        "lab-small": "script",
        "gpt-x": "alpha",
        "alpha/both": "alpha",
        "beta/both": "beta",
        "gamma/org/llama": "script",
    }
    for name in ("gpt-x", "gamma/org%2Fllama"):
        others["gamma"].models = ["org%2Fllama"]
        assert system.ok("GET", f"/v1/models/{name}")["id"] == name.replace("%2F", "/")
    assert system.call("GET", "/v1/models/gamma/nobody")[0] == 404


@pytest.mark.parametrize("status", [503, 401, 403, 400])
def test_a_provider_that_is_away_or_refuses_its_key_is_missing_in_the_list(
    system: System, provider: Scripted, further: Further, client: OpenAI, status: int
) -> None:
    provider.models = ["lab-small"]
    others = further(gamma=None, delta=None)
    others["gamma"].lists_with = status
    others["delta"].models = ["llama"]
    listed = system.ok("GET", "/v1/models")
    assert [model["id"] for model in listed["data"]] == ["lab-small", "delta/llama"]
    assert listed["missing_providers"] == ["gamma"]
    assert [model.id for model in client.models.list()] == ["lab-small", "delta/llama"], "the SDK reads it"
    others["gamma"].lists_with = None
    assert "missing_providers" not in system.ok("GET", "/v1/models")


def test_where_nothing_can_be_listed_it_is_said_whose_fault_that_is(
    system: System, provider: Scripted, further: Further, caplog: pytest.LogCaptureFixture
) -> None:
    further(gamma=None)
    provider.lists_with = 401
    status, refusal = system.call("GET", "/v1/models")
    assert (status, refusal["error"]["code"]) == (502, "provider_refused")
    assert "'default' refuses to list its models: it answered 401" in refusal["error"]["message"]
    provider.lists_with = 500
    status, refusal = system.call("GET", "/v1/models")
    assert (status, refusal["error"]["code"], refusal["error"]["type"]) == (503, "provider_away", "server_error")
    assert "The provider 'default' is away" in refusal["error"]["message"]
    assert "POST /v1/providers/default/test" in refusal["error"]["message"]
    assert caplog.text.count("models not listed") == 2


def test_a_model_of_a_provider_that_is_away_is_refused_by_the_provider_s_name(
    system: System, provider: Scripted, further: Further
) -> None:
    provider.models = ["lab-small"]
    others = further(gamma=None, alpha=["gpt-x"])
    for script in others.values():
        script.lists_with = 503
    eval_ = system.ok("POST", "/v1/evals", EVAL)
    source = {"type": "completions", "model": "gamma/x", "source": {"type": "file_content", "content": [{"item": {}}]}}
    doors: list[tuple[str, str, Any, str]] = [
        ("GET", "/v1/models/gamma/x", None, "model"),
        ("POST", f"/v1/evals/{eval_['id']}/runs", {"data_source": source}, "data_source.model"),
        ("PUT", "/v1/aliases/app", {"targets": [{"model": "gamma/x", "weight": 100}]}, "targets[0].model"),
    ]
    for method, path, body, param in doors:
        status, refusal = system.call(method, path, body)
        assert (status, refusal["error"]["code"], refusal["error"]["param"]) == (503, "provider_away", param), path
        assert "'gamma' is away" in refusal["error"]["message"]
    # What an entry lists is known, by both of its names.
    for name in ("gpt-x", "alpha/gpt-x"):
        assert system.ok("GET", f"/v1/models/{name}")["owned_by"] == "alpha"
    others["gamma"].lists_with = 401
    status, refusal = system.call("GET", "/v1/models/gamma/x")
    assert (status, refusal["error"]["code"]) == (404, "model_not_found")
    assert "'gamma' refuses its key" in refusal["error"]["message"]


def test_a_wrong_secret_is_told_in_the_log_and_not_to_the_caller(
    system: System, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = aws_client("secretsmanager").create_secret(Name="providers", SecretString='{"a": {"api_key": "sk-1"}}')
    monkeypatch.setenv("PROVIDERS_SECRET_ARN", made["ARN"])
    status, refusal = ask(system, "lab-small")
    assert (status, refusal["error"]["code"]) == (500, "server_error")
    assert "a.base_url" in caplog.text
    assert "sk-1" not in caplog.text + str(refusal)


def test_a_judge_and_a_sampled_model_are_found_the_same_way(
    system: System, provider: Scripted, further: Further
) -> None:
    assert provider
    others = further(alpha=["teacher"], gamma=None)
    others["gamma"].models = ["judge"]
    label = Said(200, b'{"choices": [{"index": 0, "message": {"content": "{\\"label\\": \\"good\\"}"}}]}', {})
    others["gamma"].answers = [label]
    judge = {
        "type": "label_model",
        "name": "judged",
        "model": "gamma/judge",
        "input": [{"role": "user", "content": "{{ sample.output_text }}"}],
        "labels": ["good", "bad"],
        "passing_labels": ["good"],
    }
    config = {"type": "custom", "item_schema": {"type": "object"}}
    eval_ = system.ok("POST", "/v1/evals", {"data_source_config": config, "testing_criteria": [judge]})
    rows = [{"item": {"input": REQUEST["messages"]}}]
    source = {"type": "completions", "source": {"type": "file_content", "content": rows}, "model": "teacher"}
    run = system.ok("POST", f"/v1/evals/{eval_['id']}/runs", {"data_source": source})
    system.settle()
    ended = system.ok("GET", f"/v1/evals/{eval_['id']}/runs/{run['id']}")
    assert (ended["status"], ended["result_counts"]["passed"]) == ("completed", 1)
    assert [request["model"] for request in others["alpha"].asked] == ["teacher"]
    assert [request["model"] for request in others["gamma"].asked] == ["judge"]
