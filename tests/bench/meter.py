"""Counts what AWS would bill for: requests, 64 KB chunks, write and read units, bytes kept, GB-seconds, bytes logged.

In: boto3's calls of this process, as they are made, and the invocations of functions. Out: `units`, by the names of
infra/aws-prices.json. Sizes of items follow DynamoDB's documented rules. A call that has no price here ends the bench.
"""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import batched
from math import ceil
from typing import Any

from botocore.client import BaseClient

KB = 1024
GB = KB**3
ITEM_OVERHEAD = 100
# Stated assumptions: an AWS call with its client's CPU; the processor that a function has, by its memory.
AWS_CALL_MS = 5.0
_WHOLE_PROCESSOR_MB = 1769
# START, END and REPORT of an invocation, 26 bytes of overhead each.
_PLATFORM_LOG_BYTES = 350
_LOG_OVERHEAD = 26
_RECEIVED_AT_ONCE = 10

type Item = dict[str, dict[str, Any]]


def item_bytes(item: Item) -> int:
    """What DynamoDB counts: names and values, without the overhead of storage."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "N":
            digits = held.lstrip("-").replace(".", "").strip("0")
            return ceil(len(digits) / 2) + 1 + held.startswith("-")
        case "B":
            return len(bytes(held))
        case "L":
            return 3 + sum(1 + _value_bytes(member) for member in held)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(member) for name, member in held.items())
        case "SS" | "NS" | "BS":
            return sum(_value_bytes({kind[0]: member}) for member in held)
    return 1


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _write_units(size: int) -> int:
    return max(1, ceil(size / KB))


def _read_units(size: int, *, consistent: bool) -> float:
    return max(1, ceil(size / (4 * KB))) * (1.0 if consistent else 0.5)


def _chunks(bodies: Iterable[str]) -> int:
    return max(1, ceil(sum(len(body.encode()) for body in bodies) / (64 * KB)))


class Meter:
    """One meter a case; `counting` puts it between boto3 and AWS."""

    def __init__(self, *, platform_logs: bool) -> None:
        self.units: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.items: dict[tuple[str, str], int] = {}
        self.objects: dict[str, int] = {}
        self.sent: dict[str, list[str]] = {}
        self.logged = io.StringIO()
        self._platform_logs = platform_logs
        self._lock = threading.Lock()
        self._calls: Counter[int] = Counter()
        self._call_cpu = 0.0

    def reset(self) -> None:
        """Forget what the warming up cost."""
        for counted in (self.units, self.requests, self.items, self.objects, self.sent):
            counted.clear()
        self.logged.truncate(0)

    @contextmanager
    def counting(self) -> Iterator[None]:
        call = BaseClient._make_api_call

        def counted(client: Any, operation: str, asked: dict[str, Any]) -> Any:
            given = dict(asked)  # botocore turns a body into a stream
            started = time.thread_time()
            try:
                answer = call(client, operation, asked)
            finally:
                took = time.thread_time() - started
            with self._lock:
                self._calls[threading.get_ident()] += 1
                self._call_cpu += took
                self.requests[f"{client.meta.service_model.service_name} {operation}"] += 1
                self._count(operation, given, answer)
            return answer

        BaseClient._make_api_call = counted
        try:
            yield
        finally:
            BaseClient._make_api_call = call

    def _count(self, operation: str, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        match operation:
            case "SendMessage":
                self._send(asked["QueueUrl"], [asked["MessageBody"]])
            case "SendMessageBatch":
                self._send(asked["QueueUrl"], [entry["MessageBody"] for entry in asked["Entries"]])
            case "PutObject":
                self.units["s3.put"] += 1
                self.objects[asked["Key"]] = len(asked["Body"])
            case "UploadPart":
                self.units["s3.put"] += 1
                self.objects[asked["Key"]] = self.objects.get(asked["Key"], 0) + len(asked["Body"])
            case "ListObjectsV2" | "CreateMultipartUpload" | "CompleteMultipartUpload":
                self.units["s3.put"] += 1
            case "GetObject" | "HeadObject":
                self.units["s3.get"] += 1
            case "DeleteObject":
                self.objects.pop(asked["Key"], None)
            case "GetSecretValue":
                """Once a process."""
            case _:
                self._count_rows(operation, asked, answer)

    def _count_rows(self, operation: str, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        match operation:
            case "PutItem":
                self._write(asked["Item"])
            case "UpdateItem":
                self._update(asked)
            case "DeleteItem":
                self._delete(asked["Key"])
            case "BatchWriteItem":
                self._write_batch(asked)
            case "GetItem":
                self._read([answer["Item"]] if "Item" in answer else [], consistent=asked.get("ConsistentRead", False))
            case "Query":
                self._read(answer["Items"], consistent=asked.get("ConsistentRead", False))
            case "BatchGetItem":
                self._read_batch(asked, answer)
            case _:
                raise SystemExit(f"{operation} has no price in this bench")

    def _send(self, queue: str, bodies: list[str]) -> None:
        self.units["sqs.request"] += _chunks(bodies)
        self.sent.setdefault(queue, []).extend(bodies)

    def _write(self, item: Item) -> None:
        size = item_bytes(item)
        self.units["dynamodb.write_unit"] += _write_units(max(size, self.items.get(_key(item), 0)))
        self.items[_key(item)] = size

    def _write_batch(self, asked: dict[str, Any]) -> None:
        for request in (request for requests in asked["RequestItems"].values() for request in requests):
            if "PutRequest" in request:
                self._write(request["PutRequest"]["Item"])
            else:
                self._delete(request["DeleteRequest"]["Key"])

    def _delete(self, key: Item) -> None:
        self.units["dynamodb.write_unit"] += _write_units(self.items.pop(_key(key), 0))

    def _update(self, asked: dict[str, Any]) -> None:
        """Billed as the whole item; it is taken to grow to what is written, if that is more."""
        key = _key(asked["Key"])
        written = item_bytes(asked["Key"] | asked.get("ExpressionAttributeValues", {}))
        self.items[key] = max(self.items.get(key, 0), written)
        self.units["dynamodb.write_unit"] += _write_units(self.items[key])

    def _read(self, items: Sequence[Item], *, consistent: bool) -> None:
        """A projection is billed as the whole item."""
        size = sum(max(item_bytes(item), self.items.get(_key(item), 0) if "pk" in item else 0) for item in items)
        self.units["dynamodb.read_unit"] += _read_units(size, consistent=consistent)

    def _read_batch(self, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        """Each item rounded up for itself, the missing ones too."""
        for table, wanted in asked["RequestItems"].items():
            rows = {_key(item): [item] for item in answer["Responses"].get(table, [])}
            for key in wanted["Keys"]:
                self._read(rows.get(_key(key), []), consistent=wanted.get("ConsistentRead", False))

    def invoke[Answer](self, entry: Callable[[], Answer], *, memory_mb: int) -> Answer:
        """Run one invocation: its request, its time by our CPU and the assumptions, what it logged."""
        self._calls, self._call_cpu = Counter(), 0.0
        logged = self.logged.tell()
        started = time.process_time()
        answer = entry()
        own_ms = (time.process_time() - started - self._call_cpu) * 1000
        billed_ms = ceil(own_ms * max(1.0, _WHOLE_PROCESSOR_MB / memory_mb) + self._waits() * AWS_CALL_MS)
        self.units["lambda.request"] += 1
        self.units["lambda.gb_second"] += billed_ms / 1000 * memory_mb / KB
        output = self.logged.getvalue()[logged:]
        written = len(output.encode()) + _LOG_OVERHEAD * output.count("\n")
        self.units["logs.gb"] += (written + (_PLATFORM_LOG_BYTES if self._platform_logs else 0)) / GB
        return answer

    def _waits(self) -> int:
        """How many calls the invocation waited for one after the other: those of its threads overlap."""
        calls = dict(self._calls)
        return calls.pop(threading.get_ident(), 0) + max(calls.values(), default=0)

    def received(self, bodies: Sequence[str]) -> None:
        """What Lambda's poller asks of the queue for these messages: ten a call to receive, ten a call to delete."""
        for some in batched(bodies, _RECEIVED_AT_ONCE, strict=False):
            self.units["sqs.request"] += _chunks(some) + 1

    def keep(self, *, backups: bool) -> None:
        """A month of storage of all that was written."""
        rows = (sum(self.items.values()) + ITEM_OVERHEAD * len(self.items)) / GB
        self.units["dynamodb.gb_month"] += rows
        self.units["dynamodb.backup_gb_month"] += rows if backups else 0
        self.units["s3.gb_month"] += sum(self.objects.values()) / GB
