"""AWS cut away: boto3's calls are answered from here, before anything is serialised, signed or sent.

What is left to measure is our own code, down to the call of a client's method. The answers are those of an empty,
healthy account with one API key. Only the standard library is imported with this module: it stands in a process whose
imports are measured.
"""

from __future__ import annotations

import hashlib
import os
from io import BytesIO
from typing import Any

KEY = "sk-sh-first-0123456789abcdef"
_KEY_ROW = {
    "pk": {"S": "KEY"},
    "sk": {"S": "first"},
    "sha256": {"S": hashlib.sha256(KEY.encode()).hexdigest()},
    "scopes": {"S": "admin"},
}
_SQS = "https://sqs.us-east-1.amazonaws.com/123456789012/"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_SERVICE_NAME": "stillhouse",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "TABLE": "table",
    "BUCKET": "bucket",
    "PROVIDER_BASE_URL": "http://127.0.0.1:9/v1",
    "RECORD_QUEUE_URL": f"{_SQS}record",
}


class Context:
    """Lambda's context."""

    aws_request_id = "0b1e2c3d-0000-4000-8000-000000000000"
    function_name = "bench"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:bench"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


class Cut:
    """Answers in AWS's place; keeps which services were called, the bodies sent to queues and the objects put."""

    def __init__(self) -> None:
        self.services: set[str] = set()
        self.sent: list[str] = []
        self.objects: dict[str, bytes] = {}

    def answer(self, client: Any, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        self.services.add(client.meta.service_model.service_name)
        match operation:
            case "SendMessage":
                self.sent.append(asked["MessageBody"])
                return {"MessageId": "1"}
            case "SendMessageBatch":
                self.sent += [entry["MessageBody"] for entry in asked["Entries"]]
                return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]]}
            case "PutObject":
                self.objects[asked["Key"]] = asked["Body"]
            case "GetObject":
                return {"Body": BytesIO(self.objects[asked["Key"]])}
            case "GetItem":
                return {"Item": _KEY_ROW} if asked["Key"]["pk"]["S"] == "KEY" else {}
            case "Query":
                return {"Items": [], "Count": 0}
            case "BatchGetItem":
                return {"Responses": {}, "UnprocessedKeys": {}}
            case "BatchWriteItem":
                return {"UnprocessedItems": {}}
        return {}


def cut(account: Cut | None = None) -> Cut:
    """From here on no client of this process leaves it: `account` answers, or an empty one."""
    from botocore.client import BaseClient

    os.environ.update(ENVIRONMENT)
    account = account or Cut()

    def call(client: BaseClient, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        return account.answer(client, operation, asked)

    BaseClient._make_api_call = call
    return account
