"""The fakes for real on a free port, with moto's S3 and event bus, the lab behind them, and a clock that is set."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import boto3
import httpx2
import pytest
import uvicorn
from botocore.config import Config
from moto import mock_aws

from foundation import aws
from foundation.refreshed import Refreshed
from foundation.settings import settings
from local.fakes.app import Fakes, create_app
from local.fakes.context import Context
from local.fakes.controls import Controls
from local.fakes.lab import Lab
from local.fakes.records import Records
from local.fakes.walker import hold
from local.lab.store import Store
from local.stack.fakes import fakes_environment
from providers import registry
from providers.entry import Entry
from tests.cloud import aws_client
from tests.flow.system import System

BUCKET = "stillhouse-bucket"
QWEN = "huggingface-reasoning-qwen3-06b"


@dataclass
class Stand:
    """The fakes, and what a test does to them. `now` is their clock, in seconds."""

    url: str
    context: Context
    fakes: Fakes
    now: list[float]
    sent: list[dict[str, Any]]
    opened: dict[tuple[str, bool], Any] = field(default_factory=dict)

    def client(self, service: str, *, held: bool = True) -> Any:
        """A client of boto3 that repeats nothing; one that is held keeps to AWS's model both ways."""
        if (service, held) in self.opened:
            return self.opened[service, held]
        made = boto3.client(
            service,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            endpoint_url=f"{self.url}/{service}",
            config=Config(retries={"total_max_attempts": 1}),
        )
        if held:
            hold(made)
        self.opened[service, held] = made
        return made

    @cached_property
    def held(self) -> dict[str, Callable[..., Any]]:
        """Clients that reach this server, in the place of the system's own and one for all tests that use it.

        They are made with the addresses of `fakes_environment`. Every request is held to AWS's model, and every answer.
        They go with their server: each conftest that imports the fixture `fakes_server` has one of its own.
        """
        names = ("bedrock", "bedrock_runtime", "sagemaker", "sagemaker_runtime_url", "application_autoscaling")
        made: dict[str, Callable[..., Any]] = {name: cache(getattr(aws, name).__wrapped__) for name in names}
        for name in ("bedrock", "sagemaker", "application_autoscaling"):
            hold(made[name]())
        hold(made["bedrock_runtime"](None, None))
        return made

    def begin(self, context: Context) -> None:
        """Forget what was made and ordered."""
        self.context.lab.close()
        self.sent.clear()
        self.context = context
        self.fakes.begin(context)

    def close(self) -> None:
        for made in self.opened.values():
            made.close()
        self.context.lab.close()

    def order(self, what: str, document: dict[str, Any]) -> None:
        httpx2.post(f"{self.url}/fakes/{what}", json=document, trust_env=False).raise_for_status()

    def pass_time(self, seconds: float) -> None:
        self.now[0] += seconds
        self.fakes.tick()

    def put(self, key: str, body: bytes) -> str:
        self.context.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"


@dataclass
class Bus:
    """What is sent to EventBridge."""

    sent: list[dict[str, Any]]

    def put_events(self, Entries: list[dict[str, Any]]) -> None:  # noqa: N803 - boto3's name
        self.sent += Entries


def context(lab: str, now: list[float], sent: list[dict[str, Any]]) -> Context:
    return Context(
        records=Records(Store(None), region="us-east-1", account="123456789012", clock=lambda: now[0]),
        controls=Controls(),
        lab=Lab(f"{lab}/v1"),
        s3=aws_client("s3"),
        events=Bus(sent),
    )


@pytest.fixture(scope="session")
def fakes_server(lab_server: str) -> Iterator[Stand]:
    """The server, one for all tests of a process that import it at the same place; whose S3 it reads is the test's."""
    now, sent = [1_000_000.0], list[dict[str, Any]]()
    first = context(lab_server, now, sent)
    fakes = Fakes(first)
    config = uvicorn.Config(create_app(fakes), port=0, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    made = Stand(f"http://127.0.0.1:{port}", first, fakes, now, sent)
    yield made
    made.close()
    server.should_exit = True
    thread.join(5)


@pytest.fixture(scope="module")
def fakes_bucket() -> Iterator[None]:
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
        yield


@pytest.fixture
def stand(fakes_server: Stand, fakes_bucket: None, lab_server: str) -> Stand:  # noqa: ARG001 - its bucket is there
    """The server with nothing made yet and nothing ordered."""
    fakes_server.begin(context(lab_server, fakes_server.now, fakes_server.sent))
    return fakes_server


def serve_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the stack has with its parameters for training, and providers by which what was trained is asked."""
    monkeypatch.setenv("TRAINING_ROLE_ARN", "arn:aws:iam::123456789012:role/bedrock")
    settings.cache_clear()
    bedrock = Entry(kind="bedrock", models=["amazon.nova-micro-v1:0"])
    known = [registry._default(), registry.Known("bedrock", "template", bedrock)]
    monkeypatch.setattr(registry, "_CONFIGURED", Refreshed(lambda: known))
    registry.forget()


@pytest.fixture
def aws_trainers(
    system: System,  # noqa: ARG001 - its AWS and its settings are there first
    fakes_server: Stand,
    lab_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stand]:
    """The system's own clients of Bedrock and SageMaker reach the fakes, which are quick; a provider serves models."""
    fakes_server.begin(context(lab_server, fakes_server.now, fakes_server.sent))
    for name, address in fakes_environment(fakes_server.url).items():
        monkeypatch.setenv(name, address)
    serve_trained(monkeypatch)
    fakes_server.order("timing", dict.fromkeys(("validation", "processing", "training", "stopping", "deployment"), 0))
    for name, made in fakes_server.held.items():
        monkeypatch.setattr(aws, name, made)
    yield fakes_server
    registry.forget()
