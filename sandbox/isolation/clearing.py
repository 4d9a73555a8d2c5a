"""Empties a folder of whatever was left in it, however deep or locked.

Raises OSError where something cannot be removed, TimeoutError among them where it takes too long. No wall covers
chmod, so a source can lock every folder of its user, the one around its own among them.
"""

from __future__ import annotations

import os
import secrets
import stat
import time
from pathlib import Path

_PATIENCE_S = 10.0


def reopened(folder: Path) -> int:
    """The mode of a folder, after all rights of ours are back where it is ours to give them."""
    found = folder.stat()
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid == os.getuid() and mode & stat.S_IRWXU != stat.S_IRWXU:
        mode |= stat.S_IRWXU
        folder.chmod(mode)
    return mode


def empty(folder: Path) -> None:
    """Folders are moved up before they are removed: a path may be deeper than any call takes."""
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
