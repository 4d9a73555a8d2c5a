"""Starts MiniStack: the AWS of the local stack, on a port of 127.0.0.1.

Its resources are in memory and written to `.local/state` when it is stopped; objects of its buckets are written
there at once. A start reads both, so that table, bucket, API key and addresses are those of the last stop. A kill
loses what the table has learnt since the last start.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local.stack import iam
from local.stack.layout import Layout
from local.stack.ports import HOST
from local.stack.processes import Child, Command, child, healthy, wait_healthy

_HEALTH = "/_ministack/health"
# Function processes inherit the emulator's environment, so it gets no more than it needs.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
# Writing the state takes about a second per 100 MB.
_STOP_SECONDS = 60.0


@contextmanager
def emulator(layout: Layout, port: int, *, apart: Mapping[str, str]) -> Iterator[Child]:
    """An emulator, perhaps not ready yet, for the length of the block.

    `apart` is added to its environment, which its functions inherit: the addresses of services that it does not have.
    """
    command: Command = [
        layout.environment(".venv-emulator") / "python",
        "-m",
        "local.stack.tether",
        "local.stack.emulator_server",
    ]
    with child(
        "emulator",
        command,
        env={**_environment(layout, port), **apart},
        cwd=layout.root,
        log=layout.log("emulator"),
        grace_seconds=_STOP_SECONDS,
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
        "PERSIST_STATE": "1",
        "STATE_DIR": str(layout.state / "services"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(layout.state / "s3"),
        "STILLHOUSE_CODE": str(layout.code),
        "TMPDIR": str(layout.scratch),
        "AUTH": str(iam.enforced()),
        "PYTHONUNBUFFERED": "1",
    }
