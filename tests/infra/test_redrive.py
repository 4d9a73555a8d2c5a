"""Dead letters go back to the queue from which they came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.operate.redrive import put_back, waiting


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("sqs", region_name="us-east-1")


def stack(sqs: Any) -> dict[str, str]:
    known = {}
    for name in ("Grade", "Plan"):
        dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
        known[f"{name}DeadLetters"] = dead
        known[f"{name}Queue"] = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": redrive})["QueueUrl"]
    return {**known, "Table": "table"}


def test_what_waits_is_counted_by_queue(sqs: Any) -> None:
    known = stack(sqs)
    sqs.send_message(QueueUrl=known["GradeDeadLetters"], MessageBody="a")
    assert waiting(sqs, known) == {"Grade": 1, "Plan": 0}


def test_dead_letters_are_moved_to_their_own_queue(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    known, moved = stack(sqs), []
    monkeypatch.setattr(sqs, "start_message_move_task", lambda **asked: moved.append(asked))
    put_back(sqs, known, "Grade")
    [task] = moved
    assert task["SourceArn"].endswith(":Grade-dead")
    assert task["DestinationArn"].endswith(":Grade")


def test_an_unknown_queue_is_none(sqs: Any) -> None:
    with pytest.raises(KeyError):
        put_back(sqs, stack(sqs), "Grading")
