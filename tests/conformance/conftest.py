"""The API behind the proxy, and the environment in which the suites run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.stack.info import StackInfo
from tests.conformance.front import served
from tests.conformance.in_process import InProcess
from tests.conformance.seed import Stack
from tests.flow.system import System
from tests.stack.conftest import deployed, own_environment

__all__ = ["deployed", "own_environment"]

REPOSITORY = Path(__file__).resolve().parents[2]
_LONGEST_S = 300

type Run = Callable[..., subprocess.CompletedProcess[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/conformance/"):
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def front_of_the_stack(deployed: StackInfo) -> Iterator[str]:
    with served(Stack(deployed)) as url:
        yield url


@pytest.fixture
def front_in_process(system: System) -> Iterator[str]:
    with served(InProcess(system, settles=True)) as url:
        yield url


@pytest.fixture
def front(request: pytest.FixtureRequest, soak: bool) -> str:
    """The proxy in front of the deployed stack with `--soak`, else in front of the same handlers in this process."""
    return str(request.getfixturevalue("front_of_the_stack" if soak else "front_in_process"))


@pytest.fixture
def run() -> Run:
    """Run a command of the suites' environment: `run("pytest", "-q", cwd=…, VARIABLE="value")`."""

    def run(command: str, *arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(REPOSITORY / ".venv-conformance" / "bin" / command), *arguments],
            cwd=cwd,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )

    return run


@pytest.fixture
def listed() -> Callable[[str], set[str]]:
    """The lines of an allowlist beside this file; `#` begins the reason of those below it. No file allows nothing."""

    def listed(name: str) -> set[str]:
        path = Path(__file__).parent / name
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return {line for line in lines if line and not line.startswith("#")}

    return listed
