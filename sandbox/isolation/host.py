"""The function's own process: what it hides from the sources that it runs, and how it is brought back after each.

A source runs as the same user. In Lambda this process, the source's and /tmp are all that the user has, so whatever
else is found there after a grading was left by it; elsewhere the machine is shared, and only the walls hold.
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
def harden() -> frozenset[int]:
    """Before the first source runs: no credentials, no look into this process. Answers the processes of this user."""
    block = _environment_block()
    for name in _SECRETS:
        os.environ.pop(name, None)
        _overwrite(block, name.encode())
    with suppress(OSError):
        prctl(PR_SET_DUMPABLE, 0)
    return _own_processes()


def spare_memory() -> int | None:
    """Bytes that a source may take: what Lambda gives, less what this process needs; None outside of it."""
    megabytes = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    return max((int(megabytes) << 20) - _OURS_BYTES, _OURS_BYTES) if megabytes else None


@contextmanager
def brought_back() -> Iterator[None]:
    """In Lambda nothing of a source is there for the next call, or there is no next call."""
    try:
        yield
    finally:
        if Path(__file__).parents[1] == _LAMBDA:
            try:
                _end_strays(harden())
                empty(_LEFT_BEHIND)
            except OSError:
                os._exit(1)


def _end_strays(ours: frozenset[int]) -> None:
    """Kills until nothing comes after. Raises TimeoutError."""
    deadline = time.monotonic() + _PATIENCE_S
    while strays := _own_processes() - ours:
        if time.monotonic() > deadline:
            raise TimeoutError("processes of a source do not end")
        for stray in strays:
            with suppress(ProcessLookupError):
                os.kill(stray, signal.SIGKILL)


def _own_processes() -> frozenset[int]:
    """All of this user that live; by what the kernel says of them, since a process can hide its owner in /proc."""
    own = str(os.getuid())
    found = {os.getpid()}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                said = dict(
                    line.split(":\t", 1) for line in (entry / "status").read_text().splitlines() if ":\t" in line
                )
                if said["Uid"].split()[0] == own and not said["State"].startswith("Z"):
                    found.add(int(entry.name))
    return frozenset(found)


def _environment_block() -> tuple[int, int]:
    """Where the environment lies that this process was started with, which /proc shows whatever is unset later."""
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
