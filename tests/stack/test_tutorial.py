"""The tutorial's commands, each run as it is written. In `make test` the demo takes the same way (`test_demo.py`)."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.stack.conftest import REPOSITORY

TUTORIAL = REPOSITORY / "docs" / "tutorial" / "first-distillation.md"


@pytest.mark.soak(alone=True)
@pytest.mark.usefixtures("stack")
def test_every_command_of_the_tutorial() -> None:
    commands = re.findall(r"^```sh\n(.*?)^```", TUTORIAL.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(commands) == 2
    outputs = [run(command) for command in commands]
    assert "ready" in outputs[0]
    first, second = re.findall(r"distill_\w+: (\w+)$", outputs[1], re.MULTILINE)
    assert (first, second) == ("completed", "completed")
    assert "beats_baseline" in outputs[1]
    assert "15 times cheaper" in outputs[1]
    assert "examples of the local stack, not real prices" in outputs[1]
    assert "earlier verdicts on these rows: 1" in outputs[1]


def run(command: str) -> str:
    ended = subprocess.run(
        ["bash", "-euc", command], cwd=REPOSITORY, capture_output=True, text=True, timeout=600, check=False
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-4000:]
    return ended.stdout
