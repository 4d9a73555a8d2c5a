"""System calls that Python has no function for. Each raises OSError if the kernel refuses it."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Any

PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
_CAPABILITIES_V3 = 0x20080522


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def syscall(number: int, *arguments: Any) -> int:
    """Make a system call; integers are passed as C longs, pointers as they are."""
    widened = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    return _checked(_libc().syscall(ctypes.c_long(number), *widened))


def prctl(option: int, *arguments: Any) -> int:
    """Call prctl with all five arguments: some options require unused ones to be 0."""
    padded = (*arguments, 0, 0, 0, 0)[:4]
    widened = [ctypes.c_ulong(argument) if isinstance(argument, int) else argument for argument in padded]
    return _checked(_libc().prctl(option, *widened))


def drop_capabilities() -> None:
    """Give up the capabilities of root; without effect for other users."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0)
    _checked(_libc().capset(header, (ctypes.c_uint32 * 6)()))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
