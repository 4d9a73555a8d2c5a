"""Who may do what, and what the edge answers to requests that reach no resource."""

from __future__ import annotations

import hashlib

import pytest
from openai import AuthenticationError, OpenAI, PermissionDeniedError

from foundation import table
from tests.api.sdk import client_of
from tests.api.test_evals import create
from tests.flow import loop
from tests.flow.system import System

READS = ("/v1/chat/completions", "/v1/evals", "/v1/models", "/v1/datasets", "/v1/distillations")
WRITES = ("/v1/evals", "/v1/evals/eval_x/runs", "/v1/distillations", "/v1/distillations/distill_x/approve")


def key_with(scopes: str) -> str:
    name = scopes.replace(" ", "")
    key = f"sk-sh-{name}-0123456789abcdef"
    digest = hashlib.sha256(key.encode()).hexdigest()
    table.put({"pk": "KEY", "sk": name, "sha256": digest, "scopes": scopes})
    return key


def test_without_a_valid_key_nothing_is_answered(system: System) -> None:
    for method, paths in (("GET", READS), ("POST", WRITES)):
        for path in paths:
            for key in (None, "sk-sh-first-wrong", "sk-sh-nobody-0123", "sk-other", "sk-sh-"):
                status, refusal = system.call(method, path, key=key)
                assert (status, refusal["error"]["code"]) == (401, "invalid_api_key"), (path, key)
                assert refusal["error"]["param"] == "Authorization"


def test_each_verb_asks_for_its_scope(system: System) -> None:
    reader, writer, pusher = key_with("read"), key_with("write"), key_with("capture infer")
    for path in READS:
        assert system.call("GET", path, key=reader)[0] == 200
        for key in (writer, pusher):
            status, refusal = system.call("GET", path, key=key)
            assert (status, refusal["error"]["code"]) == (403, "insufficient_permissions")
            assert "read" in refusal["error"]["message"]
    for path in WRITES:
        for key in (reader, pusher):
            assert system.call("POST", path, {}, key=key)[0] == 403
        assert system.call("POST", path, {}, key=writer)[0] in {400, 404}
    assert system.call("GET", "/v1/evals", key=key_with("admin"))[0] == 200


def test_the_sdk_sees_its_own_errors(system: System) -> None:
    with client_of(system, key="sk-sh-first-wrong") as stranger, pytest.raises(AuthenticationError):
        stranger.evals.list()
    with client_of(system, key=key_with("read")) as reader:
        assert reader.evals.list().data == []
        with pytest.raises(PermissionDeniedError):
            create(reader)


def test_a_path_that_is_none_is_not_found_in_openais_shape(system: System) -> None:
    for method, path in (("GET", "/v1/moon"), ("PUT", "/v1/evals"), ("POST", "/v1/models"), ("GET", "/")):
        status, refusal = system.call(method, path)
        assert (status, refusal["error"]["param"]) == (404, "path"), path


def test_every_answer_carries_a_request_id(system: System, client: OpenAI) -> None:
    assert client.evals.list()._request_id == "request-1"
    system.call("GET", "/v1/evals/eval_nobody")
    assert system.headers["x-request-id"] == "request-1"


def test_a_body_that_is_no_object_is_refused(system: System) -> None:
    for body in (b"{oops", b"[]", b'"text"', b"\xff\xfe"):
        path = "/v1/evals" if body.startswith(b"[") else "/v1/distillations"
        status, refusal = system.call("POST", path, body)
        assert (status, refusal["error"]["type"]) == (400, "invalid_request_error")
        assert refusal["error"]["code"] in {"invalid_json", "invalid_type"}


def test_an_empty_body_names_what_is_missing(system: System) -> None:
    status, refusal = system.call("POST", "/v1/evals", b"")
    assert (status, refusal["error"]["code"]) == (400, "missing_required_parameter")


def test_models_are_the_providers(client: OpenAI) -> None:
    assert {"lab-small", "lab-judge"} <= {one.id for one in client.models.list()}
    assert client.models.retrieve("lab-small").owned_by == "lab"


def test_a_model_that_the_provider_does_not_have_is_not_found(system: System) -> None:
    status, refusal = system.call("GET", "/v1/models/ft:nobody:x::y")
    assert (status, refusal["error"]["code"], refusal["error"]["param"]) == (404, "model_not_found", "model")
    assert loop.STUDENT in {one["id"] for one in system.ok("GET", "/v1/models")["data"]}
