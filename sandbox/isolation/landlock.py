"""Landlock: the files that a process may reach, and the processes that it may signal.

In: folders to read, folders to write. Out: the calling process is held to them for good, and answers which version of
Landlock holds it. Raises OSError where the kernel has none. See `Documentation/userspace-api/landlock.rst`.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from isolation.linux import syscall

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_TRUNCATE, _IOCTL_DEVICE = 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _READ_FILE | 1 << 1 | _TRUNCATE | _IOCTL_DEVICE
# Version by version: what of files, of TCP and of other processes it can refuse.
_FILES = (0x1FFF, 0x3FFF, 0x7FFF, 0x7FFF, 0xFFFF)
_TCP_SINCE, _TCP = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11


def restrict(*, read: Iterable[Path], write: Iterable[Path]) -> int:
    """Folders that do not exist are left out. Needs no_new_privs."""
    version: int = syscall(_CREATE, None, 0, _ASK_VERSION)
    files = _FILES[min(version, len(_FILES)) - 1]
    tcp = _TCP if version >= _TCP_SINCE else 0
    scopes = _SCOPES if version >= _SCOPES_SINCE else 0
    attributes = struct.pack("=QQQ", files, tcp, scopes)
    # An older kernel knows the first fields only, and refuses more bytes unless they are 0, which they are then.
    rules = syscall(_CREATE, ctypes.create_string_buffer(attributes, len(attributes)), len(attributes), 0)
    try:
        for path in read:
            _allow(rules, path, _READ)
        for path in write:
            _allow(rules, path, files)
        syscall(_RESTRICT, rules, 0)
    finally:
        os.close(rules)
    return version


def _allow(rules: int, path: Path, access: int) -> None:
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        granted = access if path.is_dir() else access & _OF_FILES
        rule = struct.pack("=Qi", granted, folder)
        syscall(_ADD_RULE, rules, _PATH_BENEATH, ctypes.create_string_buffer(rule, len(rule)), 0)
    finally:
        os.close(folder)
