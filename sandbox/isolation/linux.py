"""The few calls of the kernel that Python has no function for. Each raises OSError as the kernel refuses."""

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
    """Integers go as C longs, pointers as they are."""
    widened = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return _checked(_libc().syscall(ctypes.c_long(number), *widened))


def prctl(option: int, *arguments: Any) -> int:
    """All five arguments are given: some options want the rest to be 0."""
    padded = (*arguments, 0, 0, 0, 0)[:4]
    widened = [ctypes.c_ulong(one) if isinstance(one, int) else one for one in padded]
    return _checked(_libc().prctl(option, *widened))


def drop_capabilities() -> None:
    """What root may do beyond its files; of no effect for anybody else."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0)
    _checked(_libc().capset(header, (ctypes.c_uint32 * 6)()))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
