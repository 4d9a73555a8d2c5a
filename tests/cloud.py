"""AWS in process: one mock for each module, a table, a bucket and a queue of its own for each test.

To make a client costs as much as ten calls of it, and none knows which mock it asks: all tests of a process share them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ConnectionClosedError
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sqs.models import sqs_backends

from aliases.known import known_aliases
from foundation import aws, keys
from foundation.settings import settings
from providers import last_asked, prices, registry, shutdown_dates, webhook_secrets
from tests import moves, permissions
from tests.sandbox.function import route
from tuning import trainers

_REGION = "us-east-1"
FIRST_SECRET = "0123456789abcdef"


CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@cache
def _session() -> boto3.Session:
    return boto3.Session("testing", "testing", region_name="us-east-1")


@cache
def aws_client(service: str) -> Any:
    """A client of the tests themselves."""
    return _session().client(service)


def books(backends: Any) -> Any:
    """What moto itself keeps of a service. To ask it by calls was a quarter of all calls of the tests."""
    return backends[DEFAULT_ACCOUNT_ID][_REGION]


def make_table(name: str) -> None:
    """The table as the template has it."""
    columns = {"pk": "HASH", "sk": "RANGE"}
    books(dynamodb_backends).create_table(
        name,
        schema=[{"AttributeName": column, "KeyType": kind} for column, kind in columns.items()],
        attr=[{"AttributeName": column, "AttributeType": "S"} for column in columns],
        billing_mode="PAY_PER_REQUEST",
        throughput=None,
        global_indexes=None,
        indexes=None,
        streams=None,
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=False,
        warm_throughput=None,
    )


def make_queue(name: str, **attributes: str) -> str:
    """Make a queue and answer its URL."""
    books(sqs_backends).create_queue(name, **attributes)
    return f"https://sqs.{_REGION}.amazonaws.com/{DEFAULT_ACCOUNT_ID}/{name}"


def make_secret(name: str, content: str) -> str:
    """Make a secret and answer its ARN."""
    made = books(secretsmanager_backends).create_secret(
        name,
        secret_string=content,
        secret_binary=None,
        description="",
        tags=[],
        kms_key_id=None,
        client_request_token=None,
        replica_regions=[],
        force_overwrite=False,
    )
    return str(json.loads(made)["ARN"])


def forget() -> None:
    """Settings, secrets and providers of an earlier test must not reach the next one."""
    registry.forget()
    webhook_secrets.forget()
    prices.forget()
    shutdown_dates.forget()
    last_asked.forget()
    known_aliases.forget()
    for cached in (settings, aws.secret, trainers.made):
        cached.cache_clear()
    keys._trusted.clear()


def forget_clients() -> None:
    """After botocore was made to fail: a client that has repeated many calls repeats fewer of the next ones."""
    for made in vars(aws).values():
        if hasattr(made, "cache_clear"):
            made.cache_clear()
    mark_session()


def mark_session() -> None:
    """What the services' clients get that are made from now on."""
    route(aws._session())
    permissions.watch(aws._session())


@pytest.fixture(scope="session", autouse=True)
def sandbox_in_process() -> None:
    """The services' calls of the sandbox function are answered by the sandbox's own code."""
    mark_session()


@pytest.fixture(scope="session", autouse=True)
def moves_in_process() -> None:
    """Moto's SQS moves dead letters back."""
    moves.install()


@pytest.fixture(scope="module")
def mocked_aws() -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        forget()
        with mock_aws():
            secret = make_secret("first", FIRST_SECRET)
            yield {"FIRST_KEY_SECRET_ARN": secret, "PROVIDER_BASE_URL": "http://127.0.0.1:9/v1"}
        forget()


@dataclass
class Cloud:
    """What a test can do to AWS: start with nothing, and lose or alter calls."""

    setenv: Callable[[str, str], None]
    registered: list[tuple[Any, str, Any]] = field(default_factory=list)

    def empty(self) -> None:
        """A new table, a new bucket and a new queue."""
        name = uuid4().hex
        make_table(name)
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(name, _REGION)
        self.setenv("TABLE", name)
        self.setenv("BUCKET", name)
        self.setenv("RECORD_QUEUE_URL", make_queue(name))
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
