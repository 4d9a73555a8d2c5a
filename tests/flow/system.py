"""The whole system in one process: the template's queues and their consumers, the HTTP routes, the clock.

Messages go through moto's SQS and reach the real handlers in the form that Lambda gives them; S3 events are sent by
moto as the bucket's notification configuration says. `settle` delivers until nothing is left.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from moto.core import DEFAULT_ACCOUNT_ID
from moto.events.models import events_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

import api.handler
import assembly.handler
import capture.handler
import distilling.handler
import gateway.handler
import grading.handler
import notifying.handler
import retention.handler
import rolling_out.handler
import tuning.handler
import verdict.handler
from foundation import ids
from tests.cloud import aws_client, books, make_queue, make_secret, make_table
from tests.flow.described import statuses
from tests.permissions import permitted

type Handler = Callable[[dict[str, Any], Any], Any]

CONSUMERS: dict[str, Handler] = {
    "RECORD": permitted(capture.handler.record_entry),
    "PLAN": permitted(grading.handler.plan_entry),
    "GRADE": permitted(grading.handler.grade_entry),
    "DISTILLING": permitted(distilling.handler.entry),
    "ASSEMBLY": permitted(assembly.handler.entry),
    "TUNING": permitted(tuning.handler.start_entry),
    "VERDICT": permitted(verdict.handler.entry),
    "NOTIFY": permitted(notifying.handler.entry),
    "ROLLOUT": permitted(rolling_out.handler.entry),
}
CLOCK: Handler = permitted(tuning.handler.watch_entry)
SWEEP: Handler = permitted(retention.handler.sweep_entry)
RULE = "watch"
_CAPTURED = "stillhouse-captured"
_REGION = "us-east-1"
VISIBILITY_MS = 720_000
A_MINUTE_MS = 60_000
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.002, 0.05
_CAPTURE, _API, _FORWARD = map(
    permitted, (capture.handler.http_entry, api.handler.http_entry, gateway.handler.http_entry)
)
_GATEWAY = tuple(
    f"/v1/{name}" for name in ("models", "responses", "embeddings", "moderations", "completions", "images/", "audio/")
)
KEY = "sk-sh-first-0123456789abcdef"


@dataclass
class FakeContext:
    """Lambda's context."""

    aws_request_id: str = "request-1"
    function_name: str = "test"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:test"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@dataclass
class System:
    """What a test can do with it: call the API, deliver messages, look at what was said.

    A failed message is delivered again at once, and `passed_ms` grows by the visibility timeout that AWS would wait,
    and by a minute at each tick of the clock.
    """

    bucket: str
    table: str
    queues: dict[str, str]
    dead_letters: dict[str, str]
    inbox: str
    lab: str
    around: Callable[[str, Callable[[], Any]], Any] = field(default=lambda _, call: call())
    announced: set[str] = field(default_factory=set)
    doubled: bool = False
    passed_ms: int = 0

    # -------------------------------------------------------------- HTTP

    def call(
        self, method: str, url: str, body: Any = None, *, key: str | None = KEY, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """One request through the handler that the template routes it to; its status and its JSON, text or bytes.

        Whatever a test asks, the API's description knows the status that comes back.
        """
        parts = urlsplit(url)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        event = _http_event(method, parts.path, parts.query, raw, {**(headers or {}), **_authorization(key)})
        answer = _route(method, parts.path)(event, FakeContext())
        text = answer.get("body") or ""
        status = int(answer["statusCode"])
        described = statuses(method, parts.path)
        assert described is None or status in described, f"{method} {parts.path}: {status} is not described"
        self.headers = answer.get("headers", {})
        if answer.get("isBase64Encoded"):
            return status, base64.b64decode(text)
        kind = {name.lower(): value for name, value in self.headers.items()}.get("content-type", "")
        return status, json.loads(text) if text and kind.startswith("application/json") else text or None

    def ok(self, method: str, url: str, body: Any = None) -> Any:
        status, answer = self.call(method, url, body)
        assert status < 300, (status, answer)
        return answer

    # -------------------------------------------------------------- queues

    def settle(self, *, rounds: int = 200) -> None:
        """Deliver messages and tick the clock until nothing moves."""
        pause_s = _SHORTEST_PAUSE_S
        for _ in range(rounds):
            self.announce()
            moved = [self.deliver(name) for name in CONSUMERS]
            if self.clock_runs():
                # The lab trains in this process: who asks without a pause how far it is keeps it from it.
                pause_s = _SHORTEST_PAUSE_S if any(moved) else min(2 * pause_s, _LONGEST_PAUSE_S)
                if not any(moved):
                    # No `time.sleep`: tests of commands that wait replace it by what settles.
                    threading.Event().wait(pause_s)
                self.passed_ms += A_MINUTE_MS
                self.around("clock", partial(CLOCK, {}, FakeContext()))
                moved.append(1)
            if not any(moved):
                return
        raise AssertionError("the system does not come to rest")

    def deliver(self, name: str) -> int:
        """Deliver what waits in one queue, message by message; failed ones stay for a redelivery."""
        if not books(sqs_backends).queues[name]._messages:
            return 0
        sqs = aws_client("sqs")
        count = 0
        for message in _received(sqs, self.queues[name]):
            count += 1
            for _ in range(2 if self.doubled else 1):
                event = _sqs_event(message)
                answer = self.around(_work_of(message), partial(CONSUMERS[name], event, FakeContext()))
            failed = answer is None or answer["batchItemFailures"]
            handle = message["ReceiptHandle"]
            if failed:
                self.passed_ms += VISIBILITY_MS
                sqs.change_message_visibility(QueueUrl=self.queues[name], ReceiptHandle=handle, VisibilityTimeout=0)
            else:
                sqs.delete_message(QueueUrl=self.queues[name], ReceiptHandle=handle)
        return count

    def announce(self) -> None:
        """Do what EventBridge does: hand captured completions that landed to rollouts, while the rule is on."""
        keys = {
            key
            for key in s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[self.bucket].keys
            if key.startswith("completions/")
        }
        if self.rule_is_on(_CAPTURED):
            for key in sorted(keys - self.announced):
                event = {
                    "id": key,
                    "source": "aws.s3",
                    "detail-type": "Object Created",
                    "detail": {"object": {"key": key}},
                }
                self.send("ROLLOUT", event)
        self.announced |= keys

    def send(self, name: str, body: dict[str, Any]) -> None:
        """Put a message into a queue."""
        aws_client("sqs").send_message(QueueUrl=self.queues[name], MessageBody=json.dumps(body))

    def rule_is_on(self, name: str) -> bool:
        return bool(books(events_backends).event_buses["default"].rules[name].state == "ENABLED")

    def clock_runs(self) -> bool:
        return self.rule_is_on(RULE)

    def notifications(self) -> list[dict[str, Any]]:
        """Every notification that reached the subscriber."""
        messages = _received(aws_client("sqs"), self.inbox)
        return [json.loads(message["Body"]) for message in messages]

    def dead(self, name: str) -> list[str]:
        return [message["Body"] for message in _received(aws_client("sqs"), self.dead_letters[name])]


def deploy(setenv: Callable[[str, str], None], *, provider_url: str) -> System:
    """Create what the template declares, as far as handlers see it.

    By moto's own methods: a thousand tests do this, and the calls for it would be a tenth of the time of all tests.
    """
    make_table("table")
    bucket = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket("bucket", _REGION)
    dead = {name: make_queue(f"{name}-dead") for name in CONSUMERS}
    redrive = {
        name: json.dumps({"deadLetterTargetArn": _arn(url), "maxReceiveCount": "6"}) for name, url in dead.items()
    }
    queues = {name: make_queue(name, RedrivePolicy=redrive[name]) for name in CONSUMERS}
    bucket.set_notification_configuration(
        {
            "QueueConfiguration": [
                _notification(_arn(queues["TUNING"]), "datasets/", "/card.json"),
                _notification(_arn(queues["DISTILLING"]), "runs/", "/summary.json"),
            ]
        }
    )
    topic, inbox = _make_topic()
    for rule in (RULE, _CAPTURED, "stillhouse-rollouts"):
        books(events_backends).put_rule(rule, scheduled_expression="rate(1 minute)", state="DISABLED")
    secret = make_secret("first", KEY.rpartition("-")[2])
    environment = {
        "TABLE": "table",
        "BUCKET": "bucket",
        "TOPIC_ARN": topic,
        "FIRST_KEY_SECRET_ARN": secret,
        "PROVIDER_BASE_URL": provider_url,
        "WATCH_RULE": RULE,
        "SANDBOX_FUNCTION": "sandbox",
        "API_URL": "https://api.test/v1",
        "WEBHOOKS_TO_PRIVATE": "true",
        **{f"{name}_QUEUE_URL": url for name, url in queues.items()},
    }
    for name, value in environment.items():
        setenv(name, value)
    return System("bucket", "table", queues, dead, inbox, provider_url.removesuffix("/v1"))


def _make_topic() -> tuple[str, str]:
    """Make the topic of the notifications and a queue that hears them; its ARN, and the queue's URL."""
    sns, inbox = books(sns_backends), make_queue("inbox")
    topic = sns.create_topic("topic").arn
    subscription = sns.subscribe(topic, _arn(inbox), "sqs")
    sns.set_subscription_attributes(subscription.arn, "RawMessageDelivery", "true")
    return topic, inbox


def _notification(arn: str, prefix: str, suffix: str) -> dict[str, Any]:
    rules = [{"Name": "prefix", "Value": prefix}, {"Name": "suffix", "Value": suffix}]
    return {"Id": prefix, "Queue": arn, "Event": ["s3:ObjectCreated:*"], "Filter": {"S3Key": {"FilterRule": rules}}}


def _arn(queue_url: str) -> str:
    account, name = queue_url.split("/")[-2:]
    return f"arn:aws:sqs:us-east-1:{account}:{name}"


def _received(sqs: Any, url: str) -> Iterator[dict[str, Any]]:
    messages = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0, VisibilityTimeout=60, AttributeNames=["All"]
    ).get("Messages", [])
    yield from messages


def _work_of(message: dict[str, Any]) -> str:
    """What a message asks for: one name for all that are the same work, put back again and again."""
    body = json.loads(message["Body"]) if message["Body"].startswith("{") else {}
    return f"{body['type']} {body['correlation_id']}" if body.get("put_back") else str(message["MessageId"])


def _sqs_event(message: dict[str, Any]) -> dict[str, Any]:
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "0",
        "SenderId": "x",
        "ApproximateFirstReceiveTimestamp": "0",
        **message.get("Attributes", {}),
    }
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
        "awsRegion": "us-east-1",
    }
    return {"Records": [record]}


def _route(method: str, path: str) -> Handler:
    """The routes of template.yaml."""
    if path.startswith("/v1/captures"):
        return _CAPTURE
    if path.startswith("/v1/models") and method in {"POST", "DELETE"}:
        return _API
    if (method, path) == ("POST", "/v1/chat/completions") or path.startswith(_GATEWAY):
        return _FORWARD
    return _API


def _authorization(key: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"} if key else {}


def _http_event(method: str, path: str, query: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    try:
        text, encoded = body.decode(), False
    except UnicodeDecodeError:
        text, encoded = base64.b64encode(body).decode(), True
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "queryStringParameters": dict(parse_qsl(query, keep_blank_values=True)) or None,
        "requestContext": {
            "http": {"method": method, "path": path},
            "domainName": "api.execute-api.us-east-1.amazonaws.com",
            "stage": "$default",
            "requestId": "r",
            "timeEpoch": ids.now_ms(),
        },
        "body": text or None,
        "isBase64Encoded": encoded,
    }
