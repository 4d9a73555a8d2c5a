import io
import json
import logging
from contextlib import suppress

import pytest

from foundation import table
from foundation.api_keys import ApiKey
from foundation.consumer import LAST_DELIVERY, consume, consume_together, logger, reason_of
from foundation.errors import AtWork, RetryLater
from foundation.events import PlanRun

pytestmark = pytest.mark.usefixtures("cloud")

SECRET = "the user's own words"


@pytest.fixture
def log():
    """What the edge logs, parsed."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logger().registered_formatter)
    logger().addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger()._logger.removeHandler(handler)


def sqs(*bodies):
    """An SQS event; the messages are called m0, m1, …"""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "r",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "3"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


def plan(run_id):
    return PlanRun(run_id=run_id, correlation_id=f"about {run_id}").to_json()


def failures(answer):
    return [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]


class Worker:
    """Does the work, but for the runs that it is told to fail at."""

    def __init__(self, **errors):
        self.errors = errors
        self.done = []

    def __call__(self, delivery):
        if delivery.run_id in self.errors:
            raise self.errors[delivery.run_id]
        self.done.append(delivery.run_id)


def test_messages_that_succeed_are_not_given_back_and_not_logged(log):
    worker = Worker()
    assert failures(consume(sqs(plan("a"), plan("b")), worker)) == []
    assert worker.done == ["a", "b"]
    assert log() == []


def test_only_what_failed_is_given_back(log):
    worker = Worker(b=ValueError("no"), d=RetryLater("busy"))
    answer = consume(sqs(*map(plan, "abcd")), worker)
    assert failures(answer) == ["m1", "m3"]
    assert worker.done == ["a", "c"]
    assert [entry["message_id"] for entry in log()] == ["m1", "m3"]


def test_a_batch_that_failed_wholly_is_an_answer_too():
    worker = Worker(a=ValueError("no"), b=ValueError("no"))
    assert failures(consume(sqs(plan("a"), plan("b")), worker)) == ["m0", "m1"]


@pytest.mark.parametrize("poison", ["no json", "{}", f'{{"type":"PlanRun","run_id":["{SECRET}"]}}'])
def test_poison_fails_alone_and_never_reaches_the_work(log, poison):
    worker = Worker()
    assert failures(consume(sqs(plan("a"), poison, plan("c")), worker)) == ["m1"]
    assert worker.done == ["a", "c"]
    (entry,) = log()
    assert (entry["level"], entry["message_id"], entry["receives"]) == ("ERROR", "m1", "3")
    assert SECRET not in json.dumps(entry)


def test_the_test_event_of_s3_is_acknowledged(log):
    worker = Worker()
    assert failures(consume(sqs('{"Event":"s3:TestEvent"}'), worker)) == []
    assert worker.done == []
    assert log() == []


def test_a_failure_is_logged_once_with_ids_and_the_error(log):
    consume(sqs(plan("a")), Worker(a=ValueError("it broke")))
    (entry,) = log()
    assert entry["level"] == "ERROR"
    assert entry["correlation_id"] == "about a"
    assert entry["type"] == "PlanRun"
    assert "it broke" in entry["exception"]


def test_work_for_later_is_no_error(log):
    consume(sqs(plan("a")), Worker(a=RetryLater("the lease is held")))
    (entry,) = log()
    assert (entry["level"], entry["error"]) == ("WARNING", "the lease is held")
    assert "exception" not in entry


def test_no_body_in_the_log(log):
    def work(delivery):
        ApiKey.model_validate({"id": 3, "name": [SECRET], "scopes": delivery.run_id})

    consume(sqs(plan(SECRET)), work)
    (entry,) = log()
    entry.pop("correlation_id")
    assert "ApiKey" in entry["exception"]
    assert SECRET not in json.dumps(entry)


def test_a_process_that_is_going_down_is_not_held_up():
    class Down(BaseException):
        pass

    with pytest.raises(Down):
        consume(sqs(plan("a")), Worker(a=Down()))


def together(refused=None, error=None):
    """A handler of all messages at once, and what it was given."""
    given = []

    def handle(deliveries):
        given.append([delivery.run_id for delivery in deliveries])
        if error:
            raise error
        return {delivery.event_id: ValueError("no") for delivery in deliveries if delivery.run_id in (refused or ())}

    return handle, given


def test_messages_taken_together_fail_one_by_one(log):
    handle, given = together(refused={"b"})
    assert sorted(failures(consume_together(sqs(plan("a"), plan("b"), "no json", plan("c")), handle))) == ["m1", "m2"]
    assert given == [["a", "b", "c"]]
    assert len(log()) == 2


@pytest.mark.parametrize("error", [RetryLater("busy"), OSError("away")])
def test_messages_taken_together_all_come_again_where_their_work_breaks(log, error):
    handle, _ = together(error=error)
    assert sorted(failures(consume_together(sqs(plan("a"), plan("b")), handle))) == ["m0", "m1"]
    assert len(log()) == 1


def delivered(times):
    event = sqs(plan("run_1"))
    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(times)
    return event


@pytest.mark.parametrize(
    ("times", "error", "given_up"),
    [
        (LAST_DELIVERY - 1, KeyError("x"), False),
        (LAST_DELIVERY, KeyError("x"), True),
        (LAST_DELIVERY, RetryLater("the queue is full"), True),
        (LAST_DELIVERY, AtWork("another delivery grades it"), False),
        (LAST_DELIVERY, None, False),
    ],
)
def test_a_message_that_fails_on_its_last_delivery_is_given_up_on(times, error, given_up):
    reasons = []
    worker = Worker(**({"run_1": error} if error else {}))
    answer = consume(delivered(times), worker, lambda delivery, reason: reasons.append((delivery.run_id, reason)))
    assert failures(answer) == (["m0"] if error else [])
    assert [run for run, _ in reasons] == (["run_1"] if given_up else [])
    assert all(type(error).__name__ in reason for _, reason in reasons)


@pytest.mark.parametrize(
    ("error", "quoted"), [(RetryLater("the queue is full"), True), (ValueError("the queue is full"), False)]
)
def test_a_reason_quotes_our_own_errors_and_no_others(error, quoted):
    reasons = []
    consume(delivered(LAST_DELIVERY), Worker(run_1=error), lambda _, reason: reasons.append(reason))
    assert [("the queue is full" in reason) for reason in reasons] == [quoted]


def test_why_a_message_failed_is_known_by_its_id():
    class Stopped(BaseException):
        pass

    def ignore(*_):
        pass

    assert reason_of("m0") is None
    consume(delivered(LAST_DELIVERY), Worker(run_1=RetryLater("the queue is full")), ignore)
    assert reason_of("m0").endswith("RetryLater: the queue is full")
    consume(delivered(LAST_DELIVERY), Worker(), ignore)
    assert reason_of("m0") is None
    table.delete("TRIED#m0", "LAST")
    with suppress(Stopped):
        consume(delivered(LAST_DELIVERY), Worker(run_1=Stopped()), ignore)
    assert "was stopped" in reason_of("m0")


@pytest.mark.parametrize("error", [RetryLater("busy"), OSError("away"), None])
def test_why_messages_failed_together_is_known_of_those_that_come_no_more(error, monkeypatch, log):
    handle, _ = together(refused={"run_1"}, error=error)
    consume_together(delivered(LAST_DELIVERY - 1), handle)
    assert reason_of("m0") is None
    consume_together(delivered(LAST_DELIVERY), handle)
    assert type(error or ValueError()).__name__ in reason_of("m0")

    def away(_):
        raise OSError

    monkeypatch.setattr(table, "write_all", away)
    assert failures(consume_together(delivered(LAST_DELIVERY), handle)) == ["m0"]
    assert log()[-1]["message"] == "the reason of a failure not noted"


@pytest.mark.parametrize("last", ["stopped", "raised", "was at work", "was done", "never began"])
def test_a_message_whose_function_was_stopped_on_its_last_delivery_is_given_up_untried(last):
    """A function that is stopped says nothing: the next delivery tells it from one that raised."""

    class Stopped(BaseException):
        pass

    def ignore(*_):
        pass

    reasons, worker = [], Worker()
    errors = {"stopped": Stopped(), "raised": KeyError("x"), "was at work": AtWork("another delivery grades it")}
    if last != "never began":
        with suppress(Stopped):
            consume(delivered(LAST_DELIVERY), Worker(**({"run_1": errors[last]} if last in errors else {})), ignore)
    answer = consume(delivered(LAST_DELIVERY + 1), worker, lambda _, reason: reasons.append(reason))
    assert failures(answer) == (["m0"] if last == "stopped" else [])
    assert worker.done == ([] if last == "stopped" else ["run_1"])
    assert ["was stopped" in reason for reason in reasons] == ([True] if last == "stopped" else [])


def test_what_was_handled_is_not_given_up_on_because_its_end_cannot_be_noted(monkeypatch, log):
    put = table.put

    def refuse(row):
        if row.get("came_back"):
            raise OSError
        put(row)

    monkeypatch.setattr(table, "put", refuse)
    reasons, worker = [], Worker()
    answer = consume(delivered(LAST_DELIVERY), worker, lambda _, reason: reasons.append(reason))
    assert (failures(answer), worker.done, reasons) == ([], ["run_1"], [])
    assert [entry["message"] for entry in log()] == ["the end of a message not noted"]


def test_giving_up_that_fails_is_logged_and_stops_nothing(log):
    def raises(*_):
        raise OSError

    answer = consume(delivered(LAST_DELIVERY), Worker(run_1=KeyError("x")), raises)
    assert failures(answer) == ["m0"]
    assert log()[-1]["message"] == "giving up failed"
