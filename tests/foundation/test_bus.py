import json

import pytest

from foundation import aws, bus
from foundation.errors import RetryLater
from foundation.events import RecordCompletions
from foundation.settings import settings

pytestmark = pytest.mark.usefixtures("cloud")


def received():
    url, bodies = settings().RECORD_QUEUE_URL, []
    while messages := aws.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        bodies += [json.loads(message["Body"]) for message in messages]
    return bodies


def recorded(batch_id):
    return RecordCompletions(batch_id=batch_id, part=0, parts=1, key=f"inbox/{batch_id}")


def test_a_message_is_sent_as_its_json():
    message = recorded("capture_1")
    bus.send(message)
    assert received() == [json.loads(message.to_json())]
    assert message.correlation_id == "capture_1"


@pytest.mark.parametrize(("delay", "seconds"), [({}, None), ({"delay_s": 900}, 900)])
def test_a_delay_is_what_sqs_is_told(cloud, delay, seconds):
    seen = []
    cloud.on(aws.sqs(), "provide-client-params.sqs.SendMessage", lambda params, **_: seen.append(params))
    bus.send(recorded("later"), **delay)
    assert [call.get("DelaySeconds") for call in seen] == [seconds]


@pytest.mark.parametrize(("count", "calls"), [(0, 0), (10, 1), (23, 3)])
def test_many_are_sent_in_tens(cloud, count, calls):
    seen = []
    cloud.on(aws.sqs(), "before-call.sqs.SendMessageBatch", lambda **_: seen.append(1))
    bus.send_all(recorded(str(number)) for number in range(count))
    assert sorted(int(body["batch_id"]) for body in received()) == list(range(count))
    assert len(seen) == calls


def test_a_refused_message_is_not_lost_quietly(cloud):
    def refuse(parsed, **_):
        parsed["Failed"] = [{"Id": "0", "SenderFault": False, "Code": "InternalError"}]

    cloud.on(aws.sqs(), "after-call.sqs.SendMessageBatch", refuse)
    with pytest.raises(RetryLater, match="1 of 2"):
        bus.send_all([recorded("a"), recorded("b")])
