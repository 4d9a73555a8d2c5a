"""Somebody who is notified: a queue subscribed to the topic, emptied into `.local/notifications.jsonl`.

A line is a notification as SNS delivered it, one JSON document. SNS and SQS deliver at least once, so does this.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.stack import aws
from local.stack.deploy import Report

_QUEUE = "stillhouse-local-subscriber"
_WAIT_SECONDS = 2


@dataclass(frozen=True)
class Subscriber:
    """The subscribed queue, and the file its messages go to."""

    sqs: Any
    queue_url: str
    file: Path
    report: Report

    @classmethod
    def subscribed(cls, *, endpoint_url: str, topic_arn: str, file: Path, report: Report) -> Subscriber:
        sqs, sns = aws.client("sqs", endpoint_url), aws.client("sns", endpoint_url)
        queue_url = sqs.create_queue(QueueName=_QUEUE)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
        policy = _policy(queue_arn=attributes["QueueArn"], topic_arn=topic_arn)
        sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": policy})
        sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=attributes["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )
        file.touch()
        return cls(sqs, queue_url, file, report)

    def receive(self) -> None:
        """Waits a moment for notifications, writes and shows what came, then deletes it from the queue."""
        answer = self.sqs.receive_message(
            QueueUrl=self.queue_url, WaitTimeSeconds=_WAIT_SECONDS, MaxNumberOfMessages=10
        )
        for message in answer.get("Messages", []):
            notification = _document(message["Body"])
            with self.file.open("a") as lines:
                lines.write(json.dumps(notification, ensure_ascii=False) + "\n")
            self.report(f"notification: {notification.get('sentence') or message['Body']}")
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])


def _policy(*, queue_arn: str, topic_arn: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _document(body: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {"text": body}
