"""What people and machines are told by the topic."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from distillations import telling
from foundation import aws
from notifications import notices
from notifications.channels import email_channel
from notifications.notices import Notice
from notifying.channels import CHANNELS
from notifying.notify import notice_of
from tests.distillations import documents
from tests.flow.system import System
from tests.notifying.stubs import notice

SNS_TAKES = 262_144


@pytest.fixture
def published(system: System) -> list[dict[str, Any]]:  # noqa: ARG001
    """What goes to SNS, before it fans out by protocol."""
    calls: list[dict[str, Any]] = []
    aws.sns().meta.events.register("provide-client-params.sns.Publish", lambda params, **_: calls.append(dict(params)))
    return calls


def mailed(of: Notice) -> None:
    CHANNELS["email"].send(of.bounded(), email_channel())


def text_of(call: dict[str, Any]) -> str:
    return str(json.loads(call["Message"])["default"])


def test_machines_get_the_whole_verdict_as_json(system: System) -> None:
    notification = telling.of_verdict(documents.verdict())
    mailed(notice_of(notification))
    assert system.notifications() == [notification.document()]


def test_people_get_a_sentence_its_evidence_the_page_and_the_command(published: list[dict[str, Any]]) -> None:
    told = notice_of(telling.of_verdict(documents.verdict()))
    mailed(told)
    [call] = published
    assert call["Subject"] == "Stillhouse: It does."
    lines = text_of(call).splitlines()
    assert lines[:2] == ["It does.", ""]
    assert lines[-4:] == [
        "https://api.test/distillations/distill_1",
        "stillhouse verdict distill_1",
        "about distill_1",
        f"message {told.id}",
    ]
    assert call["MessageAttributes"]["kind"]["StringValue"] == "verdict"
    document = json.loads(call["Message"])
    assert {document[name] for name in ("sqs", "http", "https", "lambda")} == {document["sqs"]}


def test_a_subject_is_one_that_sns_takes(published: list[dict[str, Any]]) -> None:
    name = "Größe\r\n\tzwei\x00\x07" + "x" * 200
    for message in ("line one\nline two", "ü" * 90):
        failed = documents.distillation("failed", name=name, error={"code": "c", "message": message})
        mailed(notice_of(telling.of_failed(failed)))
    assert len(published) == 2
    for call in published:
        subject = call["Subject"]
        assert subject.isascii()
        assert subject.isprintable()
        assert len(subject) < 100
        assert subject.startswith("Stillhouse: The distillation 'Gr??e")
    assert "line one\nline two" in text_of(published[0])


@pytest.mark.parametrize("letter", ["x", '"', "\\", "\x07", "ü", "\U0001f600", "\n"])
def test_whatever_a_notice_holds_it_fits(letter: str, published: list[dict[str, Any]]) -> None:
    large = {"id": "o", "verdict": {"tags": [letter * 500] * 190}}
    mailed(notice(sentence=letter * 2048, lines=[letter * 2048] * 90, document=large))
    [call] = published
    assert len(call["Message"].encode()) <= SNS_TAKES
    assert json.loads(call["Message"]).keys() == {"default", "sqs", "http", "https", "lambda"}
    assert orjson.loads(json.loads(call["Message"])["sqs"])["id"]


def test_what_is_told_of_a_message_beside_it_fits_too(published: list[dict[str, Any]]) -> None:
    mailed(notice(document={"id": "o", "x": ""}))
    room = SNS_TAKES - len(published[0]["Message"].encode())
    mailed(notice(document={"id": "o", "x": "x" * (room // 4)}))
    attributes = published[1]["MessageAttributes"].items()
    beside = sum(len(name) + len("".join(attribute.values())) for name, attribute in attributes)
    assert len(published[1]["Message"].encode()) + beside <= SNS_TAKES


def test_an_attempt_ends_before_its_claim_does(system: System) -> None:  # noqa: ARG001
    config = aws.sns().meta.config
    attempts = config.retries["total_max_attempts"]
    assert 1000 * attempts * (config.connect_timeout + config.read_timeout + 1) < notices._CLAIMED_MS
