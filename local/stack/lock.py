"""File locks that end with their process: held means alive, however the process ended."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.stack.errors import StackError


@contextmanager
def held(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Holds the lock, with our process id in the file; when it is taken, waits or raises StackError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise StackError(f"{path.name} is held by process {_owner(path)}") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def holder(path: Path) -> int | None:
    """The process that holds the lock."""
    try:
        file = path.open("r+")
    except FileNotFoundError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _owner(path)
    return None


def _owner(path: Path) -> int:
    return int(path.read_text() or 0)
