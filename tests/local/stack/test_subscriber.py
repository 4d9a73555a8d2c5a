import json

import pytest

from local.stack.subscriber import Subscriber


class Queue:
    """An SQS queue of message bodies that remembers what was deleted."""

    def __init__(self, *bodies):
        self.bodies = list(bodies)
        self.deleted = []

    def receive_message(self, **_):
        if not self.bodies:
            return {}
        return {"Messages": [{"Body": body, "ReceiptHandle": body} for body in self.bodies]}

    def delete_message(self, *, QueueUrl, ReceiptHandle):  # noqa: N803, boto3's names
        assert QueueUrl == "url"
        self.deleted.append(ReceiptHandle)


@pytest.fixture
def printed():
    return []


def test_a_notification_is_written_as_delivered_shown_and_deleted(tmp_path, printed):
    body = json.dumps({"type": "verdict", "sentence": "It beats its baseline, für wahr."})
    queue, file = Queue(body, "not json"), tmp_path / "notifications.jsonl"
    Subscriber(queue, "url", file, printed.append).receive()
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        json.loads(body),
        {"text": "not json"},
    ]
    assert printed == ["notification: It beats its baseline, für wahr.", "notification: not json"]
    assert queue.deleted == [body, "not json"]


def test_silence_leaves_the_file_alone(tmp_path, printed):
    Subscriber(Queue(), "url", tmp_path / "notifications.jsonl", printed.append).receive()
    assert list(tmp_path.iterdir()) == []
    assert printed == []
