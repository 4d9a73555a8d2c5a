"""What people and machines are told."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from distillations.distillation import Distillation
from distillations.verdict import Verdict
from foundation import aws
from tests.distilling import build
from tests.flow.system import System
from verdict.notify import notify_blocked, notify_failed, notify_verdict

SCORES = {
    role: {"model": model, "passed": passed, "total": 100, "score": passed / 100, "interval": [0.1, 0.2]}
    for role, model, passed in (
        ("teacher", "big", 91),
        ("baseline", "small", 76),
        ("distilled", "ft:small", 88),
    )
}
EVIDENCE = {
    "scores": SCORES,
    "cost_ratio": {"teacher": 1.0, "baseline": 0.06, "distilled": None},
    "won": 14,
    "lost": 2,
    "p_value": 0.0041809,
    "rows_needed": {"planned": None, "observed": 321},
}


@pytest.fixture
def published(system: System) -> list[dict[str, Any]]:  # noqa: ARG001
    """What goes to SNS, before it fans out by protocol."""
    found: list[dict[str, Any]] = []
    aws.sns().meta.events.register("provide-client-params.sns.Publish", lambda params, **_: found.append(dict(params)))
    return found


def text_of(call: dict[str, Any]) -> str:
    return str(json.loads(call["Message"])["default"])


def verdict(**fields: Any) -> Verdict:
    return build.verdict(build.distillation("deciding"), **{**EVIDENCE, **fields})


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
    assert "distilled ft:small: 88/100 = 88.0% (10.0% to 20.0%), no price" in lines
    assert "baseline  small: 76/100 = 76.0% (10.0% to 20.0%), 0.060 of the teacher's cost" in lines
    assert "rows won 14, lost 2, exact McNemar p = 0.004181" in lines
    assert "distillation distill_1" in lines
    assert not any("would show it" in line for line in lines)
    assert call["MessageAttributes"]["kind"]["StringValue"] == "verdict"
    document = json.loads(call["Message"])
    assert {document[name] for name in ("sqs", "http", "https", "lambda")} == {document["sqs"]}


def test_an_open_question_says_how_many_rows_would_answer_it(published: list[dict[str, Any]]) -> None:
    notify_verdict(verdict(outcome="inconclusive"))
    assert "about 321 rows" in text_of(published[0])


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (None, "judge tone: not calibrated"),
        (
            {"n": 120, "agreement": 0.875, "kappa": 0.714, "stale": False},
            "judge tone: agrees with people on 88% of 120 rows, kappa 0.71",
        ),
        (
            {"n": 9, "agreement": 1.0, "kappa": None, "stale": True},
            "judge tone: agrees with people on 100% of 9 rows (changed since)",
        ),
        ({"n": 0, "agreement": None, "kappa": None, "stale": False}, "judge tone: not calibrated"),
    ],
)
def test_people_are_told_what_the_judge_is_worth(
    published: list[dict[str, Any]], card: dict[str, Any] | None, said: str
) -> None:
    notify_verdict(verdict(judges={"tone": card}))
    assert said in text_of(published[0]).splitlines()


def test_blocked_says_why_and_how_to_go_on(system: System, published: list[dict[str, Any]]) -> None:
    one = build.distillation("blocked", plan={"reasons": ["Too few rows.", "No budget."]})

    notify_blocked(one)

    assert "Too few rows. No budget." in text_of(published[0])
    assert f"POST /v1/distillations/{one.id}/approve" in text_of(published[0])
    [document] = system.told()
    assert (document["type"], document["id"], document["verdict"]) == ("blocked", one.id, None)
    assert document["plan"] == one.plan


def test_failed_says_why(system: System, published: list[dict[str, Any]]) -> None:
    one = build.distillation("failed", error={"code": "job_failed", "message": "bad line 7"})

    notify_failed(one)

    assert text_of(published[0]).startswith("The distillation 'triage' failed: bad line 7")
    [document] = system.told()
    assert (document["type"], document["id"], document["verdict"]) == ("failed", one.id, None)
    assert document["error"] == one.error


def test_a_subject_is_one_that_sns_takes(published: list[dict[str, Any]]) -> None:
    name = "Größe\r\n\tzwei\x00\x07" + "x" * 200
    for number, message in enumerate(["line one\nline two", "ü" * 90]):
        notify_failed(build.distillation("failed", number=number, name=name, error={"message": message}))
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
    one = build.distillation(status, plan={"reasons": ["Why."]}, error={"code": "c", "message": "Why."})
    body = {"type": kind, "run_id": "r"} if kind == "PlanRun" else {"type": kind, "distillation_id": one.id}
    boto3.client("sqs").send_message(QueueUrl=system.queues["VERDICT"], MessageBody=json.dumps(body))
    for _ in range(6):
        system.deliver("VERDICT")
    assert [told["type"] for told in system.told()] == ([status] if status != "queued" else [])
    assert len(system.dead("VERDICT")) == (1 if status == "queued" else 0)
    assert Distillation.load(one.id).status == status
