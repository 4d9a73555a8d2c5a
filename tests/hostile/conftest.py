"""The whole system inside AWS's own limits: a fresh one, or one that the tests of a module share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from moto import mock_aws

from foundation import aws, lease
from foundation.ids import now_ms
from tests.cloud import forget
from tests.flow.system import System, deploy
from tests.hostile import walls as limits
from tests.hostile.walls import Walls
from tests.sandbox.function import route

UNBUILT: set[str] = set()
"""Behaviour that is specified here and not built yet. A module leaves this list with the change that makes it pass."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave them out, unless `--unbuilt` asks for them."""
    return True if collection_path.name in UNBUILT and not config.getoption("--unbuilt") else None


class Held:
    """A system that stays from test to test, until a test wants a fresh one: the mock knows one account only."""

    def __init__(self, lab_server: str) -> None:
        self._lab = lab_server
        self._stack = ExitStack()
        self._system: System | None = None

    def system(self) -> System:
        if self._system is None:
            self._system = self._stack.enter_context(_deployed(self._lab))
        return self._system

    def close(self) -> None:
        self._system = None
        self._stack.close()


@contextmanager
def _deployed(lab_server: str) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("POWERTOOLS_SERVICE_NAME", "stillhouse")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        forget()
        with mock_aws():
            deployed = deploy(patch.setenv, provider_url=f"{lab_server}/v1")
            route(aws._session())
            patch.setattr(lease, "now_ms", lambda: now_ms() + deployed.passed_ms)
            yield deployed
        forget()


@pytest.fixture(scope="module")
def held(lab_server: str) -> Iterator[Held]:
    held = Held(lab_server)
    yield held
    held.close()


@pytest.fixture
def shared(held: Held) -> System:
    """A system that other tests of the module have used: what they left there must not matter."""
    return held.system()


@pytest.fixture
def nothing_held(held: Held) -> None:
    held.close()


@pytest.fixture
def system(nothing_held: None, system: System) -> System:  # noqa: ARG001 - before the fresh one
    """A fresh system."""
    return system


@pytest.fixture
def walls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Walls]:
    """AWS's limits, for one test."""
    with limits.built(monkeypatch) as made:
        yield made
