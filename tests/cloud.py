"""AWS in process: one mock for each module, a table, a bucket and a queue of its own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ConnectionClosedError
from moto import mock_aws

from foundation import aws, keys
from foundation.settings import settings

FIRST_SECRET = "0123456789abcdef"


def _forget() -> None:
    for found in (settings, *vars(aws).values()):
        if hasattr(found, "cache_clear"):
            found.cache_clear()
    keys._trusted.clear()


@pytest.fixture(scope="module")
def mocked_aws() -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        _forget()
        with mock_aws():
            secret = aws.secretsmanager().create_secret(Name="first", SecretString=FIRST_SECRET)
            yield {"FIRST_KEY_SECRET_ARN": secret["ARN"], "PROVIDER_BASE_URL": "http://127.0.0.1:9/v1"}
        _forget()


@dataclass
class Cloud:
    """What a test can do to AWS: start with nothing, and lose or alter calls."""

    setenv: Callable[[str, str], None]
    registered: list[tuple[Any, str, Any]] = field(default_factory=list)

    def empty(self) -> None:
        """A new table, a new bucket and a new queue."""
        name = uuid4().hex
        columns = {"pk": "HASH", "sk": "RANGE"}
        aws.dynamodb().create_table(
            TableName=name,
            KeySchema=[{"AttributeName": column, "KeyType": kind} for column, kind in columns.items()],
            AttributeDefinitions=[{"AttributeName": column, "AttributeType": "S"} for column in columns],
            BillingMode="PAY_PER_REQUEST",
        )
        aws.s3().create_bucket(Bucket=name)
        self.setenv("TABLE", name)
        self.setenv("BUCKET", name)
        self.setenv("RECORD_QUEUE_URL", aws.sqs().create_queue(QueueName=name)["QueueUrl"])
        settings.cache_clear()
        keys._trusted.clear()

    def on(self, client: Any, event: str, act: Callable[..., Any]) -> None:
        """Register at one of botocore's own events until the test ends."""
        client.meta.events.register(event, act)
        self.registered.append((client, event, act))

    def lose_call(self, client: Any, operation: str, *, number: int) -> None:
        """The `number`-th call of an operation from now on never reaches AWS; botocore is not allowed to retry it."""
        seen = 0

        def lose(**_: Any) -> None:
            nonlocal seen
            seen += 1
            if seen == number:
                raise ConnectionClosedError(endpoint_url="lost")

        self.on(client, f"before-call.*.{operation}", lose)

    def repair(self) -> None:
        for client, event, act in self.registered:
            with suppress(ValueError):
                client.meta.events.unregister(event, act)
        self.registered.clear()


@pytest.fixture
def cloud(mocked_aws: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    for name, value in mocked_aws.items():
        monkeypatch.setenv(name, value)
    made = Cloud(monkeypatch.setenv)
    made.empty()
    yield made
    made.repair()
    settings.cache_clear()
