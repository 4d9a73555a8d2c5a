"""What people and machines are told."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from distillations.distillation import Distillation
from distillations.verdict import Verdict
from foundation import aws
from tests.distillations import documents
from tests.distilling import build
from tests.flow.system import System
from verdict.notify import notify_blocked, notify_failed, notify_verdict


@pytest.fixture
def published(system: System) -> list[dict[str, Any]]:  # noqa: ARG001
    """What goes to SNS, before it fans out by protocol."""
    found: list[dict[str, Any]] = []
    aws.sns().meta.events.register("provide-client-params.sns.Publish", lambda params, **_: found.append(dict(params)))
    return found


def text_of(call: dict[str, Any]) -> str:
    return str(json.loads(call["Message"])["default"])


def verdict(**fields: Any) -> Verdict:
    return build.verdict(build.distillation("deciding"), **fields)


def test_machines_get_the_whole_verdict_as_json(system: System) -> None:
    told = verdict()

    notify_verdict(told)

    [document] = system.told()
    assert document["type"] == "verdict"
    assert (document["id"], document["distillation_id"]) == (told.id, "distill_1")
    assert document["sentence"] == "It does."
    assert document["verdict"] == told.model_dump(mode="json")


def test_people_get_a_sentence_and_its_evidence(published: list[dict[str, Any]]) -> None:
    notify_verdict(verdict())

    [call] = published
    assert call["Subject"] == "Stillhouse: It does."
    lines = text_of(call).splitlines()
    assert lines[0] == "It does."
    assert "distilled ft:small: 88/100 = 88.0% (80.2% to 93.0%), no price" in lines
    assert "baseline  small: 76/100 = 76.0% (66.8% to 83.3%), 0.060 of the teacher's cost" in lines
    assert "rows won 14, lost 2, exact McNemar p = 0.004181" in lines
    assert "distillation distill_1" in lines
    assert not any("would show it" in line for line in lines)
    assert call["MessageAttributes"]["kind"]["StringValue"] == "verdict"
    document = json.loads(call["Message"])
    assert {document[name] for name in ("sqs", "http", "https", "lambda")} == {document["sqs"]}


def test_blocked_says_why_and_how_to_go_on(system: System, published: list[dict[str, Any]]) -> None:
    one = build.distillation("blocked", plan=documents.plan(reasons=["Too few rows.", "No budget."]))

    notify_blocked(one)

    assert "Too few rows. No budget." in text_of(published[0])
    assert f"POST /v1/distillations/{one.id}/approve" in text_of(published[0])
    [document] = system.told()
    assert (document["type"], document["id"], document["verdict"]) == ("blocked", one.id, None)
    assert document["plan"] == (one.plan and one.plan.model_dump(mode="json"))


def test_failed_says_why(system: System, published: list[dict[str, Any]]) -> None:
    one = build.distillation("failed", error={"code": "job_failed", "message": "bad line 7"})

    notify_failed(one)

    assert text_of(published[0]).startswith("The distillation 'triage' failed: bad line 7")
    [document] = system.told()
    assert (document["type"], document["id"], document["verdict"]) == ("failed", one.id, None)
    assert document["error"] == {"code": "job_failed", "message": "bad line 7"}


def test_a_subject_is_one_that_sns_takes(published: list[dict[str, Any]]) -> None:
    name = "Größe\r\n\tzwei\x00\x07" + "x" * 200
    for number, message in enumerate(["line one\nline two", "ü" * 90]):
        notify_failed(build.distillation("failed", number=number, name=name, error={"code": "c", "message": message}))
    for call in published:
        subject = call["Subject"]
        assert subject.isascii()
        assert subject.isprintable()
        assert len(subject) < 100
        assert subject.startswith("Stillhouse: The distillation 'Gr??e zwei xxx")
    assert "line one\nline two" in text_of(published[0])


@pytest.mark.parametrize(
    ("kind", "status"), [("DistillationBlocked", "blocked"), ("DistillationFailed", "failed"), ("PlanRun", "queued")]
)
def test_messages_reach_the_right_words_and_others_go_back(kind: str, status: str, system: System) -> None:
    one = build.distillation(status, plan=documents.plan(reasons=["Why."]), error={"code": "c", "message": "Why."})
    body = {"type": kind, "run_id": "r"} if kind == "PlanRun" else {"type": kind, "distillation_id": one.id}
    boto3.client("sqs").send_message(QueueUrl=system.queues["VERDICT"], MessageBody=json.dumps(body))
    for _ in range(6):
        system.deliver("VERDICT")
    assert [told["type"] for told in system.told()] == ([status] if status != "queued" else [])
    assert len(system.dead("VERDICT")) == (1 if status == "queued" else 0)
    assert Distillation.load(one.id).status == status
