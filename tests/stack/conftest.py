"""The deployed local stack, up for the tests of this folder, and the `stillhouse demo` command on it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
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
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """The stack that is up; else one of the tests' own, which leaves alone what the user's has kept.

    The tests' own enforces the template's policies: a permission that a function lacks fails whatever needs it.
    """
    was_up = running() is not None
    with pytest.MonkeyPatch.context() as patch:
        if not was_up:
            patch.setenv("STILLHOUSE_STATE", str(tmp_path_factory.mktemp("state")))
            patch.setenv("STILLHOUSE_ENFORCE_IAM", "1")
        yield ensure_up(lambda line: sys.stderr.write(line + "\n"))
        if not was_up:
            down()


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
