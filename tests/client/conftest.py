from pathlib import Path

import pytest
from openai import AsyncOpenAI, OpenAI

from stillhouse import capture
from tests.client.doubles import Provider, Stillhouse, served
from tests.client.node import Node


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what asks the package index, unless `--soak` asks for it."""
    return True if collection_path.name == "test_resolves.py" and not config.getoption("--soak") else None


@pytest.fixture(autouse=True)
def no_certificates(monkeypatch, tmp_path):
    """Reading them takes longer than a test here, and everything is on loopback without TLS."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))


@pytest.fixture
def provider():
    return Provider()


@pytest.fixture
def provider_url(provider):
    with served(provider) as url:
        yield url


@pytest.fixture
def stillhouse():
    return Stillhouse()


@pytest.fixture
def stillhouse_url(stillhouse):
    with served(stillhouse) as url:
        yield url


@pytest.fixture(scope="session")
def node():
    running = Node()
    yield running
    running.close()


@pytest.fixture
def nowhere():
    """The base URL of a port on which nothing listens."""
    with served(Stillhouse()) as url:
        pass
    return url


@pytest.fixture
def wrap(provider_url, stillhouse_url, tmp_path):
    """Wraps a new client with this test's options, and lets no thread outlive the test."""
    clients = []

    def wrapped(kind=OpenAI, /, *, provider=provider_url, **options):
        client = kind(base_url=provider, api_key="sk-provider", max_retries=0)
        options = {"base_url": stillhouse_url, "api_key": "sk-sh-test", "spool": tmp_path / "spool", **options}
        clients.append(capture(client, **options))
        return clients[-1]

    yield wrapped
    for client in clients:
        client.stillhouse.close(1)
        vars(client)["_recorder"].endpoint.stored.close()
        if not isinstance(client, AsyncOpenAI):
            client.close()


@pytest.fixture
def client(wrap):
    return wrap()
