"""What Lambda hands to the entries: HTTP API events, and batches of a queue's messages as template.yaml says."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.bench.cut import KEY
from tests.template.loading import resources, template

REPOSITORY = Path(__file__).resolve().parents[2]
_PAYLOAD = 6 * 1024 * 1024
_ENVELOPE = 700


def http_event(path: str, body: bytes) -> dict[str, Any]:
    """A POST as the HTTP API gives it to a function, payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": f"POST {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "application/json",
            "accept-encoding": "gzip, deflate",
            "authorization": f"Bearer {KEY}",
            "content-length": str(len(body)),
            "content-type": "application/json",
            "host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "user-agent": "OpenAI/Python 3.54.0",
            "x-amzn-trace-id": "Root=1-67891233-abcdef012345678912345678",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            "x-stainless-lang": "python",
            "x-stainless-retry-count": "0",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "OpenAI/Python 3.54.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": f"POST {path}",
            "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1_773_342_238_000,
        },
        "body": body.decode(),
        "isBase64Encoded": False,
    }


def queue_event(bodies: Sequence[str]) -> dict[str, Any]:
    """A batch of messages as Lambda's poller gives it to a function."""
    return {"Records": [_message(body) for body in bodies]}


def _message(body: str) -> dict[str, Any]:
    return {
        "messageId": str(uuid.uuid4()),
        "receiptHandle": "AQEB" + "x" * 180,
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1773342238000",
            "SenderId": "AROAEXAMPLE:bench",
            "ApproximateFirstReceiveTimestamp": "1773342238001",
        },
        "messageAttributes": {},
        "md5OfBody": "0" * 32,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:record",
        "awsRegion": "us-east-1",
    }


def batches(bodies: Sequence[str], most: int) -> Iterator[list[str]]:
    """Messages as a poller gathers them: at most `most`, and what fits into one invocation's 6 MB."""
    batch: list[str] = []
    size = 0
    for body in bodies:
        needed = len(orjson.dumps(body)) + _ENVELOPE
        if batch and (len(batch) >= most or size + needed > _PAYLOAD):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += needed
    if batch:
        yield batch


@dataclass(frozen=True)
class Stack:
    """The figures of template.yaml on which the price of capture depends."""

    ingest_mb: int
    recorder_mb: int
    batch_size: int
    window_s: int
    platform_logs: bool
    backups: bool

    @classmethod
    def of_template(cls) -> Stack:
        parameters, common = template()["Parameters"], template()["Globals"]["Function"]
        ingest, recorder = (
            {**common, **template()["Resources"][name]["Properties"]} for name in ("CaptureFunction", "RecordFunction")
        )
        source = resources("Lambda::EventSourceMapping")["RecordMessages"]
        [table] = resources("DynamoDB::Table").values()
        return cls(
            ingest_mb=int(ingest["MemorySize"]),
            recorder_mb=int(recorder["MemorySize"]),
            batch_size=int(source.get("BatchSize", 10)),
            window_s=int(parameters[source["MaximumBatchingWindowInSeconds"]["Ref"]]["Default"]),
            platform_logs=ingest.get("LoggingConfig", {}).get("SystemLogLevel") != "WARN",
            backups=bool(table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled")),
        )
