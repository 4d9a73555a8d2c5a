"""Trained models over HTTP: named by who trained them, listed with all others, retired."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from distillations import by_hand, lineage
from distillations.job import Job
from foundation import aws
from providers import registry
from providers.model_version import ModelVersion
from providers.saved import SavedProvider
from tests.distilling import build
from tests.flow.system import System

URL = "https://gpu.example/v1"
NEW: dict[str, Any] = {"id": "triage-1", "base": "Qwen/Qwen3-0.6B", "url": URL}


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    """What is refreshed after a minute is refreshed for each test."""
    registry.forget()
    yield
    registry.forget()


def waiting() -> Job:
    """A job that waits for somebody to name its model."""
    distillation = build.distillation("training", dataset_id="dataset_1", job_id="ftjob-1")
    job = build.job(distillation, provider_job_id="ftjob-1", status="waiting_for_model")
    by_hand.begin(job.id)
    return job


def refused(system: System, **fields: Any) -> tuple[int, str, str]:
    status, answer = system.call("POST", "/v1/models", {**NEW, **fields})
    return status, answer["error"]["code"], answer["error"]["param"]


def test_a_model_is_named_for_its_job_and_has_a_provider_of_its_own(system: System) -> None:
    job = waiting()
    made = system.ok("POST", "/v1/models", {**NEW, "job_id": job.id, "api_key": "sk-of-the-gpu"})
    assert (made["id"], made["base"], made["job_id"], made["trainer"]) == (NEW["id"], NEW["base"], job.id, "file")
    assert by_hand.look(job.id) == by_hand.ByHand(by_hand.NAMED, NEW["id"])
    provider = SavedProvider.load(made["provider"])
    assert (provider.entry.base_url, provider.entry.models) == (URL, [NEW["id"]])
    key = aws.secretsmanager().get_secret_value(SecretId=provider.secret_id)["SecretString"]
    assert key == "sk-of-the-gpu"
    assert {"from": job.id, "to": NEW["id"]} in lineage.graph(job.id)["edges"]
    assert registry.providers().resolve(NEW["id"]).name == made["provider"]


def test_naming_it_again_changes_nothing(system: System) -> None:
    job = waiting()
    answers = [system.ok("POST", "/v1/models", {**NEW, "job_id": job.id}) for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(ModelVersion.page().data) == 1


def test_models_at_one_address_share_its_provider(system: System) -> None:
    first = system.ok("POST", "/v1/models", NEW)
    second = system.ok("POST", "/v1/models", {**NEW, "id": "triage-2"})
    assert first["provider"] == second["provider"]
    assert SavedProvider.load(first["provider"]).entry.models == ["triage-1", "triage-2"]
    assert (first["job_id"], first["trainer"]) == (None, "")


def test_what_a_provider_has_already_needs_no_address(system: System) -> None:
    made = system.ok("POST", "/v1/models", {"id": "lab-small", "base": "anything"})
    assert (made["provider"], made["served_as"]) == ("", "lab-small")
    system.ok("POST", "/v1/providers", {"name": "gpu", "base_url": URL, "models": ["triage-9"]})
    registry.forget()
    made = system.ok("POST", "/v1/models", {"id": "triage-9", "base": "anything"})
    assert (made["provider"], made["served_as"]) == ("gpu", "triage-9")
    assert refused(system, id="nobody-has-this", url=None) == (404, "model_not_found", "id")
    assert refused(system, url=None, api_key="sk-1") == (400, "invalid_value", "api_key")


def test_a_job_takes_one_model_and_only_one_that_waits(system: System) -> None:
    job = waiting()
    system.ok("POST", "/v1/models", {**NEW, "job_id": job.id})
    assert refused(system, id="another", job_id=job.id) == (409, "not_waiting", "job_id")
    assert refused(system, job_id="ftjob-nobody") == (404, "not_found", "job_id")
    assert refused(system, base="another-base", job_id=job.id) == (409, "model_exists", "id")
    other = build.job(build.distillation("training", number=2, dataset_id="dataset_2", job_id="ftjob-2"))
    assert refused(system, id="another", job_id=other.id) == (409, "not_waiting", "job_id")


def test_of_two_who_name_a_model_at_once_one_is_told(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    job = waiting()
    real = ModelVersion.create

    def create(version: ModelVersion) -> bool:
        by_hand.name_model(job.id, "somebody-elses")
        return real(version)

    monkeypatch.setattr(ModelVersion, "create", create)
    assert refused(system, job_id=job.id) == (409, "not_waiting", "job_id")


def test_trained_models_are_listed_with_all_others_and_say_what_they_are(system: System) -> None:
    system.ok("POST", "/v1/models", {**NEW, "url": f"{system.lab}/v1"})
    listed = {model["id"]: model for model in system.ok("GET", "/v1/models")["data"]}
    assert listed[NEW["id"]]["base"] == NEW["base"]
    assert "base" not in listed["lab-small"]
    shown = system.ok("GET", f"/v1/models/{NEW['id']}")
    assert (shown["object"], shown["base"], shown["retired_at"]) == ("model", NEW["base"], None)


def test_a_retired_model_leaves_the_list_and_still_says_what_it_was(system: System) -> None:
    made = system.ok("POST", "/v1/models", NEW)
    SavedProvider.load(made["provider"]).remove()
    registry.forget()
    for _ in range(2):
        assert system.ok("DELETE", f"/v1/models/{NEW['id']}") == {"id": NEW["id"], "object": "model", "deleted": True}
        system.deliver("TUNING")
    assert NEW["id"] not in {model["id"] for model in system.ok("GET", "/v1/models")["data"]}
    assert system.ok("GET", f"/v1/models/{NEW['id']}")["retired_at"]
    status, _ = system.call("DELETE", "/v1/models/nobody")
    assert status == 404
