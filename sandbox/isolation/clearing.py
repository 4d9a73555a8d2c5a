"""Empty a folder, however deep or locked its content is.

Raises OSError if something cannot be removed; its subclass TimeoutError if that takes longer than ten seconds. No wall
covers chmod, so a source can lock every folder of its user, even the parent of its own.
"""

from __future__ import annotations

import os
import secrets
import stat
import time
from pathlib import Path

_PATIENCE_S = 10.0


def reopened(folder: Path) -> int:
    """Give the owner all rights to a folder if it is ours; return its mode."""
    status = folder.stat()
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid == os.getuid() and mode & stat.S_IRWXU != stat.S_IRWXU:
        mode |= stat.S_IRWXU
        folder.chmod(mode)
    return mode


def empty(folder: Path) -> None:
    """Remove everything in a folder. Inner folders are moved up first: a path may be longer than system calls take."""
    reopened(folder)
    deadline = time.monotonic() + _PATIENCE_S
    while entries := list(folder.iterdir()):
        for entry in entries:
            if time.monotonic() > deadline:
                raise TimeoutError("a source left too much to remove")
            if _is_folder(entry):
                _move_up(entry, folder)
                entry.rmdir()
            else:
                entry.unlink()


def _move_up(folder: Path, to: Path) -> None:
    folder.chmod(0o700)
    for inner in list(folder.iterdir()):
        if _is_folder(inner):
            inner.chmod(0o700)
            inner.rename(to / f".{secrets.token_hex(16)}")
        else:
            inner.unlink()


def _is_folder(entry: Path) -> bool:
    return entry.is_dir(follow_symlinks=False)
