"""Who may do what, and what the edge answers to requests that reach no resource."""

from __future__ import annotations

import re

import pytest
from openai import AuthenticationError, OpenAI, PermissionDeniedError

import capture.handler
import gateway.handler
from api.routes import every_router
from foundation.routes import Route
from tests.api.evals import create
from tests.api.keys import key_with
from tests.api.sdk import client_of
from tests.flow import loop
from tests.flow.system import System

SCOPES = ("capture", "infer", "read", "write", "admin")
KEYLESS = {"/v1/openapi.json", "/v1/hooks/<name>"}
"""The description, which anybody may read, and the webhooks of providers, whose signature stands for a key."""
ROUTES = [
    route
    for routes in (*every_router(), capture.handler.routes, *gateway.handler.ROUTES)
    for route in routes.declared
    if route.path not in KEYLESS
]
"""All that need a key."""


def scope_of(route: Route) -> str:
    """What a key must be allowed: by resource where it is special, else by what the method does."""
    if route.path.startswith(("/v1/keys", "/v1/webhook_endpoints", "/v1/channels", "/v1/health")):
        return "admin"
    # They say where calls and keys go, and what may be spent.
    if route.path.startswith(("/v1/providers", "/v1/models", "/v1/costs")) and route.method != "GET":
        return "admin"
    if route.path.startswith("/v1/captures"):
        return "capture"
    of_models = {("POST", "/v1/chat/completions"), ("POST", "/v1/responses")}
    if (route.method, route.path) in of_models or route.resource == "Passed on":
        return "infer"
    # A verdict is computed again and written nowhere.
    reads = route.method == "GET" or route.path.endswith("/recompute")
    return "read" if reads else "write"


def path_of(route: Route) -> str:
    return re.sub("<.*?>", "nobody", route.path)


def test_every_route_declares_its_scope() -> None:
    assert len(ROUTES) > 60
    assert {route: route.scope for route in ROUTES} == {route: scope_of(route) for route in ROUTES}


def test_without_a_valid_key_nothing_is_answered(system: System) -> None:
    for route in ROUTES:
        for key in (None, "sk-sh-first-wrong", "sk-sh-nobody-0123", "sk-other", "sk-sh-"):
            status, refusal = system.call(route.method, path_of(route), key=key)
            assert (status, refusal["error"]["code"]) == (401, "invalid_api_key"), (route.path, key)
            assert refusal["error"]["param"] == "Authorization"


def test_a_key_is_served_by_the_routes_of_its_scopes_and_refused_by_the_others(system: System) -> None:
    keys = {scope: key_with(scope) for scope in SCOPES}
    for route in ROUTES:
        for scope, key in keys.items():
            status, answer = system.call(route.method, path_of(route), key=key)
            if scope in {*route.scopes, "admin"}:
                assert status not in {401, 403}, route.path
            else:
                assert (status, answer["error"]["code"]) == (403, "insufficient_permissions"), (route.path, scope)
                assert f"'{route.scope}'" in answer["error"]["message"]


def test_the_sdk_sees_its_own_errors(system: System) -> None:
    with client_of(system, key="sk-sh-first-wrong") as stranger, pytest.raises(AuthenticationError):
        stranger.evals.list()
    with client_of(system, key=key_with("read")) as reader:
        assert reader.evals.list().data == []
        with pytest.raises(PermissionDeniedError):
            create(reader)


def test_a_path_that_is_none_is_refused_with_its_name_and_what_to_do(system: System) -> None:
    remedies = {
        ("GET", "/v1/moon"): "Check it for typos, or send it to the provider itself",
        ("GET", "/"): "Check it for typos",
        ("POST", "/v1/assistants"): "Check it for typos, or send it to the provider itself",
        ("POST", "/v1/audio/moon"): "Check it for typos",
        ("POST", "/v1/batches"): "A batch and its files are the provider's: make it there",
        ("POST", "/v1/batches/batch_1/cancel"): "A batch and its files are the provider's: make it there",
        ("POST", "/v1/uploads"): "A file of up to 128 MB goes by a link: POST /v1/files/presigned",
        ("GET", "/v1/embeddings"): "This path takes POST.",
        ("PUT", "/v1/evals"): "This path takes GET and POST.",
        ("DELETE", "/v1/captures"): "This path takes POST.",
    }
    for (method, path), remedy in remedies.items():
        status, refusal = system.call(method, path)
        assert (status, refusal["error"]["code"]) == (404, "unknown_url"), path
        assert f"{method} {path}. {remedy}" in refusal["error"]["message"]
        assert "https://api.test/v1" in refusal["error"]["message"]


def test_a_long_path_that_is_none_is_named_by_its_beginning(system: System) -> None:
    _, refusal = system.call("GET", f"/v1/{'x' * 5000}")
    assert len(refusal["error"]["message"]) < 500


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
    assert {"lab-small", "lab-judge"} <= {model.id for model in client.models.list()}
    assert client.models.retrieve("lab-small").owned_by == "lab"


def test_a_model_that_the_provider_does_not_have_is_not_found(system: System) -> None:
    status, refusal = system.call("GET", "/v1/models/ft:nobody:x::y")
    assert (status, refusal["error"]["code"], refusal["error"]["param"]) == (404, "model_not_found", "model")
    assert loop.STUDENT in {model["id"] for model in system.ok("GET", "/v1/models")["data"]}
