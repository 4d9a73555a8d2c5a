"""Starts, asks and stops the local stack from another process: the demo, the tests, the command line."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from local.stack import fingerprint
from local.stack.deploy import Report
from local.stack.emulator import emulator_healthy
from local.stack.errors import StackError
from local.stack.info import StackInfo, read_info
from local.stack.layout import Layout
from local.stack.lock import held, holder
from local.stack.supervisor import redeploy

_START_SECONDS = 600
_STOP_SECONDS = 90
_POLL_SECONDS = 0.1


def running(layout: Layout | None = None) -> StackInfo | None:
    """The stack that is up and answers."""
    layout = layout or Layout.of_checkout()
    info = read_info(layout.info)
    if info is None or supervisor_pid(layout) != info.pid:
        return None
    port = urlsplit(info.endpoint_url).port
    return info if port and emulator_healthy(port) else None


def ensure_up(report: Report, layout: Layout | None = None) -> StackInfo:
    """A stack of the present sources: started, redeployed or taken as it is; progress goes to `report`."""
    layout = layout or Layout.of_checkout()
    with held(layout.local / "up.lock", wait=True):
        info = running(layout)
        if info and info.processes != fingerprint.processes(layout.root):
            report("the lab or the runner changed: starting anew, with all that was captured")
            down(layout)
            info = None
        if info is None and _is_another_versions(layout):
            report("the stack that is up is another version's: starting anew, with all that was captured")
            down(layout)
        if info is None:
            return _started(layout, report)
        if info.sources != fingerprint.sources(layout.root):
            return redeploy(layout, info, report)
        return info


def _is_another_versions(layout: Layout) -> bool:
    """A supervisor is up, and wrote a description that these sources cannot read; one that starts has none yet."""
    return supervisor_pid(layout) is not None and layout.info.exists() and read_info(layout.info) is None


def down(layout: Layout | None = None) -> bool:
    """Stops the stack and everything it started; False when none was up."""
    layout = layout or Layout.of_checkout()
    pid = supervisor_pid(layout)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while supervisor_pid(layout) == pid:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)
    return True


def reset(layout: Layout | None = None) -> None:
    """Stops the stack and forgets everything that it kept: completions, evals, models, key, ports, notifications."""
    layout = layout or Layout.of_checkout()
    down(layout)
    with held(layout.local / "up.lock", wait=True):
        shutil.rmtree(layout.state, ignore_errors=True)
        layout.notifications.unlink(missing_ok=True)


def supervisor_pid(layout: Layout) -> int | None:
    return holder(layout.supervisor)


def _started(layout: Layout, report: Report) -> StackInfo:
    log = layout.log("stack")
    with _supervisor(layout, log) as process:
        deadline = time.monotonic() + _START_SECONDS
        lines = _new_lines(log)
        while True:
            ended = process.poll() is not None
            info = running(layout)
            for line in next(lines):
                report(line)
            if info:
                return info
            if ended:
                raise StackError(f"the local stack did not start; its logs are in {layout.logs}")
            if time.monotonic() > deadline:
                raise StackError(f"the local stack was not ready within {_START_SECONDS} s; see {layout.logs}")
            time.sleep(_POLL_SECONDS)


@contextmanager
def _supervisor(layout: Layout, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A supervisor in the background, which outlives this process unless the block fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "local.stack", "serve"],
            cwd=layout.root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    except BaseException:
        process.terminate()
        process.wait()
        raise
    # It outlives us, so nobody waits for it, and Popen has nothing to warn of.
    process.returncode = 0


def _new_lines(log: Path) -> Iterator[list[str]]:
    """With each step, the complete lines that were added."""
    with log.open() as file:
        rest = ""
        while True:
            *lines, rest = (rest + file.read()).split("\n")
            yield lines
