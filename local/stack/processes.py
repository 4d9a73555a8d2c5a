"""Child processes, each with a process group of its own, stopped with everything that they started."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from local.stack.errors import StackError
from local.stack.ports import HOST

_GRACE_SECONDS = 1.0
_POLL_SECONDS = 0.05
_TAIL_LINES = 25


type Command = Sequence[str | Path]


@dataclass(frozen=True)
class Child:
    """A started process, the leader of its group."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    grace_seconds: float = _GRACE_SECONDS

    def terminate(self) -> None:
        """SIGTERM to the group."""
        self._signal(signal.SIGTERM)

    def stop(self) -> None:
        """SIGTERM to the group, its grace, then SIGKILL to whatever of the group is left."""
        self.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(self.grace_seconds)
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


@contextmanager
def child(
    name: str,
    command: Command,
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    grace_seconds: float = _GRACE_SECONDS,
) -> Iterator[Child]:
    """A process for the length of the block; its output goes to the log, its input ends when we do.

    `grace_seconds` is how long it may take to end after SIGTERM, before it is killed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started = Child(name, process, log, grace_seconds)
    try:
        yield started
    finally:
        started.stop()
        if process.stdin:
            process.stdin.close()


def run_logged(name: str, command: Command, *, env: Mapping[str, str], cwd: Path, log: Path) -> None:
    """Runs a command to its end; raises StackError with the end of its log when it fails."""
    with child(name, command, env=env, cwd=cwd, log=log) as started:
        status = started.process.wait()
    if status:
        raise StackError(f"{name} failed ({status}):\n{tail(log)}\nThe whole log: {log}")


def wait_healthy(started: Child, port: int, path: str, *, seconds: float = 60.0) -> None:
    """Returns when the child answers 200; raises StackError when it ends or stays silent."""
    deadline = time.monotonic() + seconds
    while not healthy(port, path):
        if started.process.poll() is not None:
            raise StackError(f"{started.name} ended at its start:\n{tail(started.log)}\nThe whole log: {started.log}")
        if time.monotonic() > deadline:
            raise StackError(f"{started.name} did not answer on port {port} within {seconds:.0f} s, see {started.log}")
        time.sleep(_POLL_SECONDS)


def healthy(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def tail(log: Path) -> str:
    with log.open(errors="replace") as lines:
        return "".join(deque(lines, _TAIL_LINES)).rstrip()
