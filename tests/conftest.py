"""Fixtures that more than one folder uses: AWS in process, the lab on loopback, a Lambda context."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from moto import mock_aws

from foundation import aws, keys, lease, loop
from foundation.ids import now_ms
from foundation.settings import settings
from local.lab.app import create_app
from providers import registry
from tests.cloud import cloud, mocked_aws  # noqa: F401 - fixtures
from tests.flow.system import System, deploy
from tests.sandbox.function import route
from tuning.trainers import trainer_named


def pytest_runtest_setup() -> None:
    from pytest_socket import socket_allow_hosts

    socket_allow_hosts(["127.0.0.1", "localhost", "::1"], allow_unix_socket=True)


@dataclass
class Context:
    """Lambda's context, with as much time left as a test gives it."""

    left_ms: int = 60_000
    aws_request_id: str = "test-request"
    function_name: str = "test"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:test"
    extra: dict[str, Any] = field(default_factory=dict)

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


@pytest.fixture
def context() -> Context:
    return Context()


def _forget() -> None:
    """Clients and settings of an earlier test must not reach the next one."""
    for made in (registry.providers, registry.paced_providers):
        for one in made().all() if made.cache_info().currsize else []:
            if one._session:
                loop.run(one._session.close())
    for cached in (
        settings,
        aws.dynamodb,
        aws.s3,
        aws.sqs,
        aws.sns,
        aws.events,
        aws.functions,
        aws.secretsmanager,
        aws.secret,
        registry.providers,
        registry.paced_providers,
        trainer_named,
    ):
        cached.cache_clear()
    keys._trusted.clear()


@pytest.fixture(scope="session")
def lab_server() -> Iterator[str]:
    """The lab, for real, on a free port of loopback; one for all tests of a process."""
    config = uvicorn.Config(create_app(), port=0, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(5)
    loop._runner().close()


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch, lab_server: str) -> Iterator[System]:
    """The whole system in process: moto's AWS, the real handlers, the real lab."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_SERVICE_NAME": "stillhouse",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    _forget()
    with mock_aws():
        deployed = deploy(monkeypatch.setenv, provider_url=f"{lab_server}/v1")
        route(aws._session())
        monkeypatch.setattr(lease, "now_ms", lambda: now_ms() + deployed.passed_ms)
        yield deployed
    _forget()
