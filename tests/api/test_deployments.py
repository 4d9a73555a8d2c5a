"""The trained models that answer: what they cost while nobody asks, and when they were last asked."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from distillations.roles import ROLES
from foundation.ids import now
from providers import last_asked, prices
from providers.model_version import ModelVersion
from tests.distillations import documents
from tests.distilling import build
from tests.flow.system import System

OWN = {"as_of": "2026-11-01", "models": {"qwen/small": {"input": "0", "output": "0", "hour": "1.5"}}}


def named(name: str, trainer: str, **fields: Any) -> None:
    ModelVersion(id=name, created_at=1, base="qwen/small", trainer=trainer, **fields).create()


@pytest.fixture
def priced(system: System, monkeypatch: pytest.MonkeyPatch) -> System:
    monkeypatch.setenv("PRICES", json.dumps(OWN))
    prices.settings.cache_clear()
    prices.price_list.cache_clear()
    return system


def listed(system: System, query: str = "") -> dict[str, Any]:
    return {deployment["id"]: deployment for deployment in system.ok("GET", f"/v1/deployments{query}")["data"]}


def test_each_says_what_it_costs_while_nobody_asks(priced: System) -> None:
    for name, trainer in {"a": "sagemaker", "b": "bedrock", "c": "file", "d": "", "e": "gone"}.items():
        named(name, trainer)
    named("f", "sagemaker", retired_at=1)
    named("g", "sagemaker", provider="bedrock_imported")
    costs = {
        name: (one["idle_cost"], one["usd_per_hour"], one["usd_per_month"]) for name, one in listed(priced).items()
    }
    assert costs == {
        "a": ("by_the_hour", 1.5, 1095.0),
        "b": ("nothing", 0.0, 0.0),
        "c": ("own_machine", 1.5, 1095.0),
        "d": ("unknown", 1.5, 1095.0),
        "e": ("unknown", 1.5, 1095.0),
        "g": ("nothing", 0.0, 0.0),
    }
    prices.price_list.cache_clear()


def test_without_a_price_it_is_null(system: System) -> None:
    named("a", "sagemaker")
    assert (listed(system)["a"]["usd_per_hour"], listed(system)["a"]["usd_per_month"]) == (None, None)


def test_pages_leave_out_what_is_retired(system: System) -> None:
    for number in range(4):
        named(f"m{number}", "bedrock", retired_at=1 if number == 1 else None)
    page = system.ok("GET", "/v1/deployments?limit=2")
    assert ([one["id"] for one in page["data"]], page["has_more"]) == (["m0", "m2"], True)
    assert list(listed(system, "?after=m2")) == ["m3"]


def test_a_call_is_noted_once_in_a_while(system: System) -> None:
    named("lab-student", "default", served_as="lab-small")
    assert listed(system)["lab-student"]["last_asked_at"] is None
    asked = {"model": "lab-student", "messages": [{"role": "user", "content": "?"}]}
    system.ok("POST", "/v1/chat/completions", asked)
    at = listed(system)["lab-student"]["last_asked_at"]
    assert at is not None
    assert now() - at < 60
    assert last_asked.last_asked("lab-small") is None


def test_a_time_that_cannot_be_noted_fails_no_call(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="x")

    named("lab-student", "default", served_as="lab-small")
    monkeypatch.setattr("providers.last_asked.table", SimpleNamespace(put=away))
    asked = {"model": "lab-student", "messages": [{"role": "user", "content": "?"}]}
    assert system.call("POST", "/v1/chat/completions", asked)[0] == 200


def test_it_says_that_it_lost_and_whether_it_is_kept(system: System) -> None:
    distillation = build.distillation("completed", model="m")
    build.verdict(distillation, outcome="no_better")
    named("m", "bedrock", distillation_id=distillation.id)
    system.ok("POST", "/v1/models/m", {"keep": True})
    assert (listed(system)["m"]["lost_at"], listed(system)["m"]["keep"]) == (build.AT, True)
    status, refusal = system.call("POST", "/v1/models/nobody", {"keep": True})
    assert (status, refusal["error"]["param"]) == (404, "model")


def test_it_says_its_verdict_and_what_it_was_made_of_and_costs(priced: System) -> None:
    distillation = build.distillation("completed")
    build.verdict(distillation, scores={role: documents.score(f"ft:{role}", 88) for role in ROLES})
    for name in ("ft:distilled", "ft:checkpoint"):
        named(name, "bedrock", distillation_id=distillation.id, dataset_id="dataset_1")
    named("qwen/small", "bedrock")
    chosen, other, plain = (listed(priced)[name] for name in ("ft:distilled", "ft:checkpoint", "qwen/small"))
    assert (chosen["outcome"], chosen["sentence"]) == ("beats_baseline", "It does.")
    # The verdict is about the chosen model alone.
    assert (other["outcome"], other["sentence"]) == (None, "")
    assert {chosen["dataset_id"], other["dataset_id"]} == {"dataset_1"}
    assert (plain["usd_per_million"], plain["distillation_id"]) == ([0, 0], None)
