"""What people and machines are told by the topic."""

from __future__ import annotations

import json
from typing import Any

import pytest

from distillations import telling
from foundation import aws
from notifying.channels import Notice
from notifying.deliver import deliver
from notifying.notify import notice_of
from tests.distillations import documents
from tests.flow.system import System


@pytest.fixture
def published(system: System) -> list[dict[str, Any]]:  # noqa: ARG001
    """What goes to SNS, before it fans out by protocol."""
    calls: list[dict[str, Any]] = []
    aws.sns().meta.events.register("provide-client-params.sns.Publish", lambda params, **_: calls.append(dict(params)))
    return calls


def text_of(call: dict[str, Any]) -> str:
    return str(json.loads(call["Message"])["default"])


def test_machines_get_the_whole_verdict_as_json(system: System) -> None:
    notification = telling.of_verdict(documents.verdict())
    deliver(notice_of(notification))
    assert system.notifications() == [notification.document()]


def test_people_get_a_sentence_and_its_evidence(published: list[dict[str, Any]]) -> None:
    notification = telling.of_verdict(documents.verdict())

    deliver(notice_of(notification))

    [call] = published
    assert call["Subject"] == "Stillhouse: It does."
    assert text_of(call) == notification.text()
    assert call["MessageAttributes"]["kind"]["StringValue"] == "verdict"
    document = json.loads(call["Message"])
    assert {document[name] for name in ("sqs", "http", "https", "lambda")} == {document["sqs"]}


def test_what_has_no_words_for_people_is_not_published(published: list[dict[str, Any]]) -> None:
    deliver(Notice(id="evt_1", type="eval.run.succeeded", object_id="o", at=0))
    assert published == []


def test_a_subject_is_one_that_sns_takes(published: list[dict[str, Any]]) -> None:
    name = "Größe\r\n\tzwei\x00\x07" + "x" * 200
    for number, message in enumerate(["line one\nline two", "ü" * 90]):
        failed = documents.distillation("failed", name=name, error={"code": "c", "message": message})
        deliver(notice_of(telling.of_failed(failed.model_copy(update={"id": f"distill_{number}"}))))
    assert len(published) == 2
    for call in published:
        subject = call["Subject"]
        assert subject.isascii()
        assert subject.isprintable()
        assert len(subject) < 100
        assert subject.startswith("Stillhouse: The distillation 'Gr??e zwei xxx")
    assert "line one\nline two" in text_of(published[0])
