"""Starts MiniStack: the AWS of the local stack, on a port of 127.0.0.1, state in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from local.stack import iam
from local.stack.layout import Layout
from local.stack.ports import HOST
from local.stack.processes import Child, Command, child, healthy, wait_healthy

_HEALTH = "/_ministack/health"
# Function processes inherit the emulator's environment, so it gets no more than it needs.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")


@contextmanager
def emulator(layout: Layout, port: int) -> Iterator[Child]:
    """An emulator, perhaps not ready yet, for the length of the block."""
    command: Command = [
        layout.environment(".venv-emulator") / "python",
        "-m",
        "local.stack.tether",
        "local.stack.emulator_server",
    ]
    with child(
        "emulator", command, env=_environment(layout, port), cwd=layout.root, log=layout.log("emulator")
    ) as started:
        yield started


def await_emulator(started: Child, port: int) -> None:
    wait_healthy(started, port, _HEALTH)


def emulator_healthy(port: int) -> bool:
    return healthy(port, _HEALTH)


def _environment(layout: Layout, port: int) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "STATE_DIR": str(layout.scratch / "state"),
        "S3_DATA_DIR": str(layout.scratch / "s3"),
        "STILLHOUSE_CODE": str(layout.code),
        "TMPDIR": str(layout.scratch),
        "AUTH": str(iam.enforced()),
        "PYTHONUNBUFFERED": "1",
    }
