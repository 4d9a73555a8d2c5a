"""Starts the lab: the OpenAI-compatible model server that the local stack has for its provider."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from local.stack.layout import Layout
from local.stack.ports import HOST
from local.stack.processes import Child, Command, child, wait_healthy


@contextmanager
def lab(layout: Layout, port: int) -> Iterator[Child]:
    """A lab, perhaps not ready yet, for the length of the block."""
    command: Command = [
        layout.environment(".venv") / "python",
        "-m",
        "local.stack.tether",
        "local.lab",
        "--port",
        str(port),
        "--state",
        layout.lab_state,
    ]
    with child("lab", command, env=os.environ, cwd=layout.root, log=layout.log("lab")) as started:
        yield started


def await_lab(started: Child, port: int) -> None:
    wait_healthy(started, port, "/lab/health")


def lab_url(port: int) -> str:
    return f"http://{HOST}:{port}/v1"
