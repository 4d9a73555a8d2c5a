"""moto's AWS under load: DynamoDB and S3 throttle in bursts and write part of a batch, seeded.

A request that is throttled has no effect. boto3 asks again a few times, without its pauses; a long burst gets through
to the caller. The reads and writes of many rows take a short way to moto's table, since moto sorts the whole of it for
each query.
"""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from random import Random
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

_REGION = "us-east-1"
_BY_RANGE = "pk = :pk AND sk BETWEEN :low AND :high"
_ROWS_A_PAGE = 50
_BURST_SHARE = {"dynamodb": 0.003, "s3": 0.1}
# boto3 asks five times, so that some of these bursts reach the caller.
_LONGEST_BURST = 12
_SOON = 20
_PARTIAL_SHARE = 0.1
_TOO_FAST = '{"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": "slower"}'
_SLOW_DOWN = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class Throttling:
    """Every request to DynamoDB and S3 passes it; `on` says whether any is throttled, `counts` how often each was."""

    def __init__(self, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on = True
        self.counts: Counter[str] = Counter()
        self._dice = Random(seed)
        self._burst: Counter[str] = Counter()
        # So that a short test has a burst of each: after how many more requests one comes for certain.
        self._certain = {service: self._dice.randint(1, _SOON) for service in _BURST_SHARE}
        answered = BotocoreStubber.__call__

        def answer(stubber: BotocoreStubber, event_name: str, request: Any, **options: Any) -> Any:
            _, service, operation = event_name.split(".")
            if service in {"dynamodb", "s3"} and self._throttles(service):
                return _refused(service, request.url)
            if service == "dynamodb" and operation in _SHORT_WAYS:
                rows = self._short_way(operation, json.loads(request.body))
                if rows is not None:
                    return _response(request.url, 200, json.dumps(rows, default=_base64))
            return answered(stubber, event_name, request, **options)

        monkeypatch.setattr(BotocoreStubber, "__call__", answer)
        monkeypatch.setattr(time, "sleep", lambda _: None)

    def _throttles(self, service: str) -> bool:
        if not self.on:
            return False
        self._certain[service] -= 1
        begins = self._certain[service] == 0 or self._dice.random() < _BURST_SHARE[service]
        if self._burst[service] <= 0 and begins:
            self._burst[service] = self._dice.randint(1, _LONGEST_BURST)
        self._burst[service] -= 1
        self.counts[service] += self._burst[service] >= 0
        return self._burst[service] >= 0

    def _short_way(self, operation: str, asked: dict[str, Any]) -> dict[str, Any] | None:
        later: dict[str, Any] = {}
        if operation == "BatchWriteItem" and self.on and self._dice.random() < _PARTIAL_SHARE:
            ((name, requests),) = asked["RequestItems"].items()
            kept = self._dice.randrange(len(requests))
            later = {name: requests[kept:]}
            asked = {"RequestItems": {name: requests[:kept]}}
            self.counts["unprocessed"] += len(requests) - kept
        answer = _SHORT_WAYS[operation](asked)
        return {**answer, "UnprocessedItems": later} if answer is not None and operation == "BatchWriteItem" else answer


def _refused(service: str, url: str) -> AWSResponse:
    return _response(url, 503, _SLOW_DOWN) if service == "s3" else _response(url, 400, _TOO_FAST)


def _response(url: str, status: int, body: str) -> AWSResponse:
    return AWSResponse(url, status, {}, MockRawResponse(body))  # type: ignore[arg-type]


def _base64(binary: bytes) -> str:
    return base64.b64encode(binary).decode()


def _table(name: str) -> Table:
    return dynamodb_backends[DEFAULT_ACCOUNT_ID][_REGION].tables[name]


def _query(asked: dict[str, Any]) -> dict[str, Any] | None:
    if asked["KeyConditionExpression"] != _BY_RANGE:
        return None
    pk, low, high = (DynamoType(asked["ExpressionAttributeValues"][name]) for name in (":pk", ":low", ":high"))
    by_sort_key = {sk.value: row for sk, row in _table(asked["TableName"]).items.get(pk, {}).items()}
    forward = asked.get("ScanIndexForward", True)
    keys = sorted((sk for sk in by_sort_key if low.value <= sk <= high.value), reverse=not forward)
    if "ExclusiveStartKey" in asked:
        start = asked["ExclusiveStartKey"]["sk"]["S"]
        keys = [sk for sk in keys if (sk > start if forward else sk < start)]
    page = keys[: min(asked.get("Limit", _ROWS_A_PAGE), _ROWS_A_PAGE)]
    rows = [by_sort_key[sk].to_json()["Attributes"] for sk in page]
    last = {"LastEvaluatedKey": {"pk": pk.to_json(), "sk": {"S": page[-1]}}} if len(page) < len(keys) else {}
    return {"Items": rows, "Count": len(rows), **last}


def _batch_get(asked: dict[str, Any]) -> dict[str, Any]:
    answers: dict[str, list[Any]] = {}
    for name, wanted in asked["RequestItems"].items():
        rows = [_table(name).get_item(*(DynamoType(key[part]) for part in ("pk", "sk"))) for key in wanted["Keys"]]
        answers[name] = [row.to_json()["Attributes"] for row in rows if row]
    return {"Responses": answers, "UnprocessedKeys": {}}


def _batch_write(asked: dict[str, Any]) -> dict[str, Any] | None:
    ((name, requests),) = asked["RequestItems"].items()
    if any("PutRequest" not in request for request in requests):
        return None
    for request in requests:
        _table(name).put_item({key: _stored(value) for key, value in request["PutRequest"]["Item"].items()})
    return {}


def _stored(value: dict[str, Any]) -> dict[str, Any]:
    """As moto keeps it: binary values are bytes."""
    return {"B": base64.b64decode(value["B"])} if "B" in value else value


_SHORT_WAYS = {"Query": _query, "BatchGetItem": _batch_get, "BatchWriteItem": _batch_write}
