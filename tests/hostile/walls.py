"""What AWS refuses and the mock lets pass, and what a call costs in memory.

In: every call of boto3, every answer of an HTTP function. Out: DynamoDB's limits on keys (2,048 and 1,024 bytes, never
empty) and items (400 KB), SQS's on messages (1 MiB), SNS's on notifications (256 KB), Lambda's on answers (6,291,556
bytes as serialized, else 502). A test may have further calls refused, for good, as an outage of one object would.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import botocore.client
import pytest
from botocore.exceptions import ClientError

from tests.flow import system as flow

LARGEST_ANSWER = 6_291_556
_LARGEST_ITEM = 400 * 1024
_LARGEST_MESSAGE = 1024 * 1024
_LARGEST_NOTE = 256 * 1024
_LONGEST = {"pk": 2048, "sk": 1024}

type Refuses = Callable[[str, dict[str, Any]], bool]


class Stopped(BaseException):
    """The function is stopped here, as Lambda does at the end of its time or its memory: nothing in it notices."""


def outlived(_: str, call: Callable[[], Any]) -> Any:
    """One delivery; without an answer if its function was stopped."""
    try:
        return call()
    except Stopped:
        return None


class Walls:
    """Refuses what AWS would. `largest_body` is the largest piece that S3 was given in one call."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.largest_body = 0
        self._refuses: list[Refuses] = []
        self._stops = False

    @contextmanager
    def refusing(self, refuses: Refuses, *, stops: bool = False) -> Iterator[None]:
        """AWS denies every call of which `refuses(operation, arguments)` holds, or `stops` the function there."""
        self._refuses.append(refuses)
        self._stops = stops
        try:
            yield
        finally:
            self._refuses.remove(refuses)
            self._stops = False

    def _refusal(self, operation: str) -> BaseException:
        denied = _error("AccessDeniedException", "an object that cannot be reached", operation)
        return Stopped() if self._stops else denied

    def check(self, operation: str, arguments: dict[str, Any]) -> None:
        self.calls[operation] += 1
        if any(refuses(operation, arguments) for refuses in self._refuses):
            raise self._refusal(operation)
        if isinstance(body := arguments.get("Body"), bytes):
            self.largest_body = max(self.largest_body, len(body))
        for text, longest in _texts(operation, arguments):
            if len(text.encode()) > longest:
                raise _error("InvalidParameterValue", "the message is too long", operation)
        for item in _items(operation, arguments):
            if sum(map(_size, item.items())) > _LARGEST_ITEM:
                raise _error("ValidationException", "Item size has exceeded the maximum allowed size", operation)
        for key in _keys(operation, arguments):
            for name, longest in _LONGEST.items():
                if not 0 < len(key.get(name, {"S": "x"})["S"].encode()) <= longest:
                    raise _error("ValidationException", f"the key {name} is empty or too long", operation)


def _error(code: str, message: str, operation: str) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(answer, operation)


def _texts(operation: str, arguments: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Messages and notifications, each with the most bytes that it may have."""
    if operation == "Publish":
        yield arguments["Message"], _LARGEST_NOTE
    elif operation == "SendMessage":
        yield arguments["MessageBody"], _LARGEST_MESSAGE
    elif operation == "SendMessageBatch":
        yield from ((entry["MessageBody"], _LARGEST_MESSAGE) for entry in arguments["Entries"])


def _items(operation: str, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if operation == "PutItem":
        yield arguments["Item"]
    elif operation == "BatchWriteItem":
        for requests in arguments["RequestItems"].values():
            yield from (request["PutRequest"]["Item"] for request in requests if "PutRequest" in request)


def _keys(operation: str, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from _items(operation, arguments)
    if operation in {"GetItem", "UpdateItem", "DeleteItem"}:
        yield arguments["Key"]
    elif operation == "BatchGetItem":
        for asked in arguments["RequestItems"].values():
            yield from asked["Keys"]
    elif operation == "Query":
        values = arguments["ExpressionAttributeValues"]
        yield {"pk": values[":pk"]}
        yield from ({"sk": values[name]} for name in (":low", ":high") if name in values)


def _size(attribute: tuple[str, dict[str, Any]]) -> int:
    name, value = attribute
    ((_, held),) = value.items()
    return len(name) + len(held if isinstance(held, bytes) else str(held).encode())


@contextmanager
def built(patch: pytest.MonkeyPatch) -> Iterator[Walls]:
    """The walls around every client and every HTTP function."""
    walls = Walls()
    client_of_aws: Any = botocore.client.BaseClient
    call_aws, routed = client_of_aws._make_api_call, flow._route

    def call(client: Any, operation: str, arguments: Any) -> Any:
        walls.check(operation, arguments)
        return call_aws(client, operation, arguments)

    def route(method: str, path: str) -> flow.Handler:
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            answer: dict[str, Any] = routed(method, path)(event, context)
            if len(json.dumps(answer, ensure_ascii=False).encode()) <= LARGEST_ANSWER:
                return answer
            return {"statusCode": 502, "headers": {}, "body": "the answer is larger than Lambda lets through"}

        return handler

    patch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    patch.setattr(flow, "_route", route)
    yield walls
