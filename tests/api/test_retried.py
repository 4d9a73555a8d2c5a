"""Retried POSTs create one object: by the SDK's own retries, and by an Idempotency-Key."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from openai import ConflictError, OpenAI

from foundation import ids, table
from notifications.channels import Channel
from tests.api.evals import CHECK, CONFIG, create
from tests.api.sdk import Transport, client_of
from tests.flow.system import System

BODY: dict[str, Any] = {"name": "triage", "data_source_config": CONFIG, "testing_criteria": [CHECK]}
ROW = {"item": {"reference": "yes"}, "sample": {"output_text": "yes"}}
SOURCE: Any = {"type": "jsonl", "source": {"type": "file_content", "content": [ROW]}}


def post(system: System, body: dict[str, Any], **headers: str) -> tuple[int, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return system.call("POST", "/v1/evals", body, headers=named)


def later(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    clock = ids.now_ms
    monkeypatch.setattr(ids, "now_ms", lambda: clock() + seconds * 1000)


def test_a_lost_answer_and_the_sdks_retry_make_one_run(system: System, client: OpenAI) -> None:
    lost: list[str] = []

    def first_post(request: httpx2.Request) -> bool:
        if request.method != "POST" or lost:
            return False
        lost.append(request.headers["x-stainless-retry-count"])
        return True

    eval_ = create(client)
    with client_of(system, transport=Transport(system, first_post), retries=2) as retrying:
        made = retrying.evals.runs.create(eval_.id, data_source=SOURCE)
    assert lost == ["0"]
    system.settle()
    (run,) = client.evals.runs.list(eval_.id).data
    assert (run.id, run.status, run.result_counts.passed) == (made.id, "completed", 1)


def test_a_retry_gives_the_first_object_back_also_when_it_comes_later(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first = post(system, BODY, x_stainless_retry_count="0")
    later(monkeypatch, 30)
    status, again = post(system, BODY, x_stainless_retry_count="1")
    assert (status, again) == (201, first)
    assert [eval_["id"] for eval_ in system.ok("GET", "/v1/evals")["data"]] == [first["id"]]


def test_the_same_body_sent_anew_is_another_object(system: System) -> None:
    _, first = post(system, BODY, x_stainless_retry_count="0")
    _, second = post(system, BODY, x_stainless_retry_count="0")
    _, third = post(system, BODY)
    assert len({first["id"], second["id"], third["id"]}) == 3
    _, retried = post(system, BODY, x_stainless_retry_count="2")
    assert retried["id"] == third["id"]


def test_a_retry_of_another_body_or_after_ten_minutes_is_new(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    _, first = post(system, BODY)
    _, other = post(system, {**BODY, "name": "other"}, x_stainless_retry_count="1")
    later(monkeypatch, 601)
    _, late = post(system, BODY, x_stainless_retry_count="1")
    assert len({first["id"], other["id"], late["id"]}) == 3


def test_an_idempotency_key_names_the_object(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    _, first = post(system, BODY, Idempotency_Key="k-1")
    later(monkeypatch, 3600)
    assert post(system, BODY, Idempotency_Key="k-1") == (201, first)
    _, other = post(system, BODY, Idempotency_Key="k-2")
    assert other["id"] != first["id"]
    assert len(system.ok("GET", "/v1/evals")["data"]) == 2


def test_an_idempotency_key_with_another_body_is_a_conflict_that_is_not_retried(system: System) -> None:
    post(system, BODY, idempotency_key="k-1")
    status, refusal = post(system, {**BODY, "name": "other"}, idempotency_key="k-1")
    assert (status, refusal["error"]["code"]) == (409, "idempotency_key_reused")
    assert refusal["error"]["param"] == "Idempotency-Key"
    assert system.headers["x-should-retry"] == "false"
    sent: list[str] = []

    def count(request: httpx2.Request) -> bool:
        sent.append(request.method)
        return False

    with client_of(system, transport=Transport(system, count), retries=2) as retrying:
        headers = {"Idempotency-Key": "k-1"}
        with pytest.raises(ConflictError):
            retrying.evals.create(data_source_config=CONFIG, testing_criteria=[CHECK], extra_headers=headers)  # type: ignore[list-item]
    assert sent == ["POST"]
    assert len(system.ok("GET", "/v1/evals")["data"]) == 1


def test_the_last_endpoint_that_there_may_be_comes_to_its_retry_too(system: System) -> None:
    def create(number: int, retry: str = "0") -> dict[str, Any]:
        body = {"name": f"{number}", "url": "https://e.test", "event_types": ["eval.run.failed"]}
        headers = {"x-stainless-retry-count": retry}
        status, endpoint = system.call("POST", "/v1/webhook_endpoints", body, headers=headers)
        assert status == 200, endpoint
        return dict(endpoint)

    *_, last = [create(number) for number in range(20)]
    assert create(19, retry="1") == last


def test_a_retried_rotation_keeps_the_secret_that_receivers_have(system: System) -> None:
    body = {"name": "one", "url": "https://e.test", "event_types": ["eval.run.failed"]}
    path = f"/v1/webhook_endpoints/{system.ok('POST', '/v1/webhook_endpoints', body)['id']}"
    before = Channel.load(path.rpartition("/")[2]).secret
    asked = {"keep_old_secret_active_for_24_hours": True}
    rotated = [
        system.call("POST", f"{path}/rotate_secret", asked, headers={"x-stainless-retry-count": retry})
        for retry in ("0", "1")
    ]
    assert rotated[0] == rotated[1]
    now_active = Channel.load(path.rpartition("/")[2])
    assert (now_active.secret, now_active.old_secret) == (rotated[0][1]["signing_secret"], before)


def test_one_body_that_arrives_at_once_again_and_again_is_asked_for_later(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time that it is looked at, another request has taken the row."""
    post(system, BODY)
    monkeypatch.setattr(table, "update", lambda *_, **__: False)
    status, refusal = post(system, BODY)
    assert (status, refusal["error"]["type"]) == (503, "server_error")


def test_a_row_that_expires_while_it_is_read_is_made_anew(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    _, first = post(system, BODY)
    read = table.get

    def expire(pk: str, sk: str) -> table.Row | None:
        if pk.startswith("RETRY#"):
            table.delete(pk, sk)
        return read(pk, sk)

    monkeypatch.setattr(table, "get", expire)
    status, second = post(system, BODY, x_stainless_retry_count="1")
    assert status == 201
    assert second["id"] != first["id"]


def test_one_key_at_two_paths_is_two_requests(client: OpenAI) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first, second = create(client), create(client)
    made = [
        client.evals.runs.create(answer.id, data_source=SOURCE, extra_headers=headers).id
        for answer in (first, second, first)
    ]
    assert made[0] == made[2] != made[1]
    assert len(client.evals.runs.list(first.id).data) == 1
