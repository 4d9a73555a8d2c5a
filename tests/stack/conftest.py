"""The deployed local stack, up for the tests of this folder, and the `stillhouse demo` command on it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from local.stack.control import down, ensure_up, running
from local.stack.info import StackInfo

REPOSITORY = Path(__file__).resolve().parents[2]
_LONGEST_S = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/stack/"):
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return _own_environment(tmp_path_factory.getbasetemp())


@cache
def _own_environment(folder: Path) -> dict[str, str]:
    """What makes a stack the tests' own; nothing where a stack was up before the first test of any folder.

    It leaves alone what the user's has kept, and enforces the template's policies: a permission that a function lacks
    fails whatever needs it.
    """
    if running() is not None:
        return {}
    return {"STILLHOUSE_STATE": str(folder / "state"), "STILLHOUSE_ENFORCE_IAM": "1"}


@pytest.fixture(scope="session")
def deployed(own_environment: dict[str, str]) -> Iterator[StackInfo]:
    """The stack that is up, else the tests' own. Its environment is only that of the tests which need it."""
    was_up = running() is not None
    with _environment(own_environment):
        info = ensure_up(lambda line: sys.stderr.write(line + "\n"))
    yield info
    if not was_up:
        with _environment(own_environment):
            down()


@pytest.fixture
def stack(deployed: StackInfo, own_environment: dict[str, str]) -> Iterator[StackInfo]:
    """The deployed stack, which the commands that a test runs find too."""
    with _environment(own_environment):
        yield deployed


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def demo(stack: StackInfo, tmp_path: Path) -> Callable[..., dict[str, Any]]:  # noqa: ARG001 - it must be up
    """Run the command as a user does; what it wrote to --json."""

    def run(*arguments: str) -> dict[str, Any]:
        out = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        command = [str(Path(sys.executable).parent / "stillhouse"), "demo", *arguments, "--json", str(out)]
        ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
        assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-4000:]
        document: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return document

    return run
