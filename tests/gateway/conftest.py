"""A gateway whose provider says what a test scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from openai import OpenAI

from gateway import handler
from tests.api.sdk import client_of
from tests.cloud import aws_client
from tests.flow.system import KEY, System
from tests.gateway.provider import Scripted, answer, served
from tests.runtime_api import Lambda, function_url, lambda_service, runtime

CHAT = "/v1/chat/completions"


def listed(system: System, query: str = "") -> list[dict[str, Any]]:
    """The stored completions, once everything has come to rest."""
    system.settle()
    data: list[dict[str, Any]] = system.ok("GET", CHAT + query)["data"]
    return data


@pytest.fixture
def client(system: System) -> Iterator[OpenAI]:
    with client_of(system) as client:
        yield client


@pytest.fixture
def provider(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """The default provider; it says COMPLETION unless a test scripts it."""
    assert system
    script = Scripted(answer())
    with served(script) as url:
        monkeypatch.setenv("PROVIDER_BASE_URL", url)
        yield script


@pytest.fixture
def further(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, Scripted]]]:
    """Set up providers by name, each with the models its entry lists (None for no list)."""
    assert system
    with ExitStack() as open_servers:

        def configure(**models: list[str] | None) -> dict[str, Scripted]:
            scripts = {name: Scripted(answer(id=f"chatcmpl-{name}", model=f"of-{name}")) for name in models}
            entries = {
                name: {"base_url": open_servers.enter_context(served(script)), "api_key": f"key-of-{name}"}
                | ({"models": models[name]} if models[name] is not None else {})
                for name, script in scripts.items()
            }
            made = aws_client("secretsmanager").create_secret(Name="providers", SecretString=json.dumps(entries))
            monkeypatch.setenv("PROVIDERS_SECRET_ARN", made["ARN"])
            return scripts

        yield configure


@pytest.fixture
def gateway(system: System) -> Iterator[Lambda]:
    """Lambda around the gateway, which the runtime of our own serves."""
    assert system
    with lambda_service() as service, runtime(service, handler.http_entry):
        yield service


@pytest.fixture
def live(gateway: Lambda) -> Iterator[OpenAI]:
    """OpenAI's SDK at the gateway's own URL."""
    with function_url(gateway) as url, OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client:
        yield client
