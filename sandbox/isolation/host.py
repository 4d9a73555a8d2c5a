"""Protect the function's own process from the sources that it runs, and clean up after each of them.

A source runs as the same user. In Lambda this user has only this process and /tmp, beside Lambda's own processes: any
other process or file was left by a source, perhaps by one that ended an earlier process of the function. Elsewhere the
machine is shared, so nothing is cleaned up, and only the walls protect it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from isolation.clearing import empty
from isolation.linux import PR_SET_DUMPABLE, prctl

_LAMBDA = Path("/var/task")
_LEFT_BEHIND = Path("/tmp")  # noqa: S108 - in Lambda it is the function's own
_EXTENSIONS = Path("/opt/extensions")
_OURS_BYTES = 256 << 20
_PATIENCE_S = 5.0
_SECRETS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_ENVIRONMENT_BEGINS, _ENVIRONMENT_ENDS = 49, 50


@cache
def harden() -> None:
    """Prepare for the first source: erase credentials, forbid reading this process, and remove what was left behind."""
    block = _environment_block()
    for name in _SECRETS:
        os.environ.pop(name, None)
        _overwrite(block, name.encode())
    with suppress(OSError):
        prctl(PR_SET_DUMPABLE, 0)
    _bring_back()


def spare_memory() -> int | None:
    """Return the bytes that a source may take: Lambda's memory less what this process needs; None outside Lambda."""
    megabytes = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    return max((int(megabytes) << 20) - _OURS_BYTES, _OURS_BYTES) if megabytes else None


@contextmanager
def brought_back() -> Iterator[None]:
    """In Lambda, remove everything that a source left; if that fails, end the process, so no later call runs in it."""
    try:
        yield
    finally:
        _bring_back()


def _bring_back() -> None:
    if Path(__file__).parents[1] == _LAMBDA:
        try:
            _end_strays()
            empty(_LEFT_BEHIND)
        except OSError:
            os._exit(1)


def _end_strays() -> None:
    """Kill strays until there are none. Raises TimeoutError after five seconds."""
    deadline = time.monotonic() + _PATIENCE_S
    while strays := _strays():
        if time.monotonic() > deadline:
            raise TimeoutError("processes of a source do not end")
        for stray in strays:
            with suppress(ProcessLookupError):
                os.kill(stray, signal.SIGKILL)


def _strays() -> set[int]:
    """Return this user's live processes, except this process, its ancestors, Lambda's extensions and process 1.

    Process 1 is Lambda's, and signals from here cannot end it.
    """
    own = str(os.getuid())
    statuses = {int(entry.name): _status(entry) for entry in Path("/proc").iterdir() if entry.name.isdecimal()}
    kept, process = {1}, os.getpid()
    while process in statuses and process not in kept:
        kept.add(process)
        process = int(statuses[process].get("PPid", 0))
    of_this_user = {
        number
        for number, status in statuses.items()
        if status and status["Uid"].split()[0] == own and not status["State"].startswith("Z")
    }
    return {number for number in of_this_user - kept if not _is_extension(number)}


def _status(process: Path) -> dict[str, str]:
    """Read a process's status file, empty if the process is gone. The owner of its /proc files may be hidden."""
    try:
        lines = (process / "status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def _is_extension(process: int) -> bool:
    """Tell whether a process is an extension, by the file that it runs: any process can change its name."""
    with suppress(OSError):
        running = Path(f"/proc/{process}/exe").stat()
        return any(os.path.samestat(running, file.stat()) for file in _EXTENSIONS.iterdir())
    return False


def _environment_block() -> tuple[int, int]:
    """Return the addresses of the initial environment, which /proc shows even after variables were unset."""
    fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    # The first two fields, number and name, are cut off.
    begin, end = (int(fields[place - 2]) for place in (_ENVIRONMENT_BEGINS, _ENVIRONMENT_ENDS))
    return begin, end


def _overwrite(block: tuple[int, int], name: bytes) -> None:
    begin, end = block
    position = begin
    for entry in ctypes.string_at(begin, end - begin).split(b"\0"):
        if entry.startswith(name + b"="):
            value = position + len(name) + 1
            ctypes.memset(value, ord("x"), len(entry) - len(name) - 1)
        position += len(entry) + 1
