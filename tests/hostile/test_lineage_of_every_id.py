"""`GET /v1/lineage/{id}` takes every id there is, and says what came of it and what it came from.
Webhooks tell of distillations as they tell of runs, and a request that lacks fields hears of all of them at once.
"""

from __future__ import annotations

from typing import Any

import pytest

from foundation import blobs, bus
from foundation.events import AdvanceDistillation, DecideVerdict
from notifications.channels import Channel
from notifications.notices import Notice
from notifying.channels.webhook import Webhooks
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import System
from tests.hostile import acts
from tests.hostile.conftest import Held

KINDS = ("blocked", "failed", "verdict")


@pytest.fixture(scope="module")
def ids(held: Held) -> dict[str, str]:
    """One of each kind, made by one whole distillation and what may stand beside it."""
    system = held.system()
    _, file = acts.upload(system, [acts.ROW])
    loop.capture(system, "every", train=24, test=6)
    ended = loop.completed(system, loop.distill(system, "every")["id"])
    rows = {"type": "file_content", "content": [{**acts.ROW, "human": True}]}
    calibration = system.ok(
        "POST", f"/v1/evals/{ended['eval_id']}/calibrations", {"criterion": "correct", "source": rows}
    )
    source = {"type": "jsonl", "source": {"type": "file_id", "id": file["id"]}}
    run = acts.graded(system, ended["eval_id"], source)
    saved = system.ok("POST", "/v1/filters", {"name": "f", "filter": {"metadata": {"tag": "every"}}})
    return {
        "completion": "chatcmpl-every-3",
        "test completion": "chatcmpl-every-1003",
        "distillation": ended["id"],
        "eval": ended["eval_id"],
        "test file": ended["test_file_id"],
        "uploaded file": file["id"],
        "teacher run": ended["runs"]["teacher"],
        "distilled run": ended["runs"]["distilled"],
        "run over a file": run["id"],
        "dataset": ended["dataset_id"],
        "job": ended["job_id"],
        "model": ended["model"],
        "verdict": ended["verdict"]["id"],
        "calibration": calibration["id"],
        "filter": saved["id"],
    }


@pytest.mark.parametrize(
    "kind",
    [
        "completion",
        "test completion",
        "distillation",
        "eval",
        "test file",
        "uploaded file",
        "teacher run",
        "distilled run",
        "run over a file",
        "dataset",
        "job",
        "model",
        "verdict",
        "calibration",
        "filter",
    ],
)
def test_an_id_of_any_kind_has_a_lineage(kind: str, shared: System, ids: dict[str, str]) -> None:
    status, graph = shared.call("GET", f"/v1/lineage/{ids[kind]}")
    assert status == 200, graph
    assert (graph["id"], ids[kind] in [node["id"] for node in graph["nodes"]]) == (ids[kind], True)


def test_a_distillation_leads_to_all_it_made(shared: System, ids: dict[str, str]) -> None:
    status, graph = shared.call("GET", f"/v1/lineage/{ids['distillation']}")
    assert status == 200, graph
    ids_in_graph = {node["id"] for node in graph["nodes"]}
    assert ids_in_graph >= {ids[kind] for kind in ("test file", "teacher run", "dataset", "job", "model", "verdict")}


def test_an_eval_leads_to_its_runs_and_verdicts(shared: System, ids: dict[str, str]) -> None:
    status, graph = shared.call("GET", f"/v1/lineage/{ids['eval']}")
    assert status == 200, graph
    assert {node["id"] for node in graph["nodes"]} >= {ids["teacher run"], ids["verdict"]}


def test_an_id_that_nothing_has_is_not_found(shared: System) -> None:
    status, answer = shared.call("GET", "/v1/lineage/distill_nothing")
    assert (status, answer["error"]["code"]) == (404, "not_found")


def test_there_are_webhooks_of_distillations(shared: System) -> None:
    types = shared.ok("GET", "/v1/webhook_event_types")["data"]
    assert {f"distillation.{kind}" for kind in KINDS} <= {
        type_ if isinstance(type_, str) else type_["id"] for type_ in types
    }


@pytest.mark.parametrize("kind", KINDS)
def test_an_end_of_a_distillation_reaches_an_endpoint(
    kind: str, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"name": "e", "url": "https://e.test/hook", "event_types": [f"distillation.{kind}"]}
    status, answer = system.call("POST", "/v1/webhook_endpoints", body)
    assert status < 300, answer
    sent: list[Any] = []

    def send(_: Webhooks, notice: Notice, channel: Channel) -> None:  # noqa: ARG001 - as the seam has it
        sent.append(notice.type)

    monkeypatch.setattr(Webhooks, "send", send)
    if kind == "failed":
        distillation = build.distillation("queued")
        bus.send(AdvanceDistillation(distillation_id=distillation.id))
    else:
        distillation = build.distillation("measuring" if kind == "blocked" else "deciding", model=build.MODEL)
        blobs.put(distillation.rows_key, b'{"item": {"input": []}}\n')
        for role in ("teacher", "baseline", "distilled"):
            build.graded(distillation, role, "pf")
        if kind == "verdict":
            bus.send(DecideVerdict(distillation_id=distillation.id))
    acts.deliver_all(system)
    assert sent == [f"distillation.{kind}"]


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("/v1/distillations", ["name", "eval_id", "test", "train", "teacher", "student"]),
        ("/v1/evals", ["data_source_config", "testing_criteria"]),
        ("/v1/filters", ["name", "filter"]),
        ("/v1/webhook_endpoints", ["event_types", "name", "url"]),
        ("/v1/keys", ["name", "scopes"]),
        ("/v1/files/presigned", ["filename", "purpose", "bytes"]),
    ],
)
def test_every_missing_field_is_named_at_once(path: str, missing: list[str], shared: System) -> None:
    status, answer = shared.call("POST", path, {})
    assert (status, answer["error"]["code"]) == (400, "missing_required_parameter")
    assert answer["error"]["param"] in missing
    unnamed = [name for name in missing if f"'{name}'" not in answer["error"]["message"]]
    assert unnamed == []


def test_every_wrong_field_is_named_at_once(shared: System) -> None:
    body = {"name": 5, "scopes": "read", "store": "yes", "metadata": []}
    status, answer = shared.call("POST", "/v1/keys", body)
    assert status == 400
    assert [name for name in body if f"'{name}'" not in answer["error"]["message"]] == []
