import json

import pytest

from foundation import aws, queues
from foundation.errors import RetryLater
from foundation.events import PlanRun
from foundation.settings import settings

pytestmark = pytest.mark.usefixtures("cloud")


def received():
    url, bodies = settings().RECORD_QUEUE_URL, []
    while found := aws.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        bodies += [json.loads(message["Body"]) for message in found]
    return bodies


def test_a_message_is_sent_as_its_json():
    message = PlanRun(run_id="evalrun_1", correlation_id="evalrun_1")
    queues.send(settings().RECORD_QUEUE_URL, message)
    assert received() == [message.model_dump()]


@pytest.mark.parametrize(("count", "calls"), [(0, 0), (10, 1), (23, 3)])
def test_many_are_sent_in_tens(cloud, count, calls):
    seen = []
    cloud.on(aws.sqs(), "before-call.sqs.SendMessageBatch", lambda **_: seen.append(1))
    queues.send_all(settings().RECORD_QUEUE_URL, (PlanRun(run_id=str(number)) for number in range(count)))
    assert sorted(int(body["run_id"]) for body in received()) == list(range(count))
    assert len(seen) == calls


def test_a_refused_message_is_not_lost_quietly(cloud):
    def refuse(parsed, **_):
        parsed["Failed"] = [{"Id": "0", "SenderFault": False, "Code": "InternalError"}]

    cloud.on(aws.sqs(), "after-call.sqs.SendMessageBatch", refuse)
    with pytest.raises(RetryLater, match="1 of 2"):
        queues.send_all(settings().RECORD_QUEUE_URL, [PlanRun(run_id="a"), PlanRun(run_id="b")])
