"""Restrict the own process before it runs untrusted code.

In: the limits, and the folder it may write to. Out: the names of the walls that the kernel put up. The limits always
hold. Capabilities, Landlock and seccomp depend on the kernel; once in force, a process cannot lift them.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from isolation import landlock, seccomp
from isolation.linux import PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, drop_capabilities, prctl

_LAST_CAPABILITY = 63
_OPEN_FILES = 256
_MOST_THREADS = 64
# What an interpreter and its libraries read: neither /proc nor the files of users.
_SYSTEM = ("/usr", "/lib", "/lib64", "/etc", "/opt", "/var/lang", "/dev/zero", "/dev/random", "/dev/urandom")
_DEVICES = ("/dev/null",)
_OUT_OF_MEMORY = Path("/proc/self/oom_score_adj")


class Limits(NamedTuple):
    """The limits of one grading, in seconds and bytes. The parent process enforces `wall_s`."""

    wall_s: float = 20.0
    memory_bytes: int = 2 << 30
    file_bytes: int = 512 << 20


def raise_walls(limits: Limits, folder: Path) -> list[str]:
    """Allow only reading `folder` and the interpreter's files, and writing to `folder`; return the walls put up."""
    _limit(limits)
    with suppress(OSError):
        # If the machine runs out of memory, the kernel kills this process, not its parent.
        _OUT_OF_MEMORY.write_text("1000", encoding="ascii")
    asked: list[tuple[str, Callable[[], object]]] = [
        ("no_new_privs", lambda: prctl(PR_SET_NO_NEW_PRIVS, 1)),
        ("capabilities", _give_up_capabilities),
        ("landlock", lambda: landlock.restrict(read=_readable(), write=[folder, *map(Path, _DEVICES)])),
        ("seccomp", seccomp.install),
    ]
    standing = []
    for name, put_up in asked:
        try:
            put_up()
        except OSError:
            continue
        standing.append(name)
    return standing


def _limit(limits: Limits) -> None:
    cpu_s = max(1, round(2 * limits.wall_s))
    wanted = {
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        # It counts all threads of the user, whoever started them; the kernel spares root from it.
        resource.RLIMIT_NPROC: _threads_of_this_user() + _MOST_THREADS,
    }
    for kind, value in wanted.items():
        _, most = resource.getrlimit(kind)
        bound = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (bound, bound))


def _threads_of_this_user() -> int:
    own, count = os.getuid(), 0
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdecimal() and entry.stat().st_uid == own:
                count += sum(1 for _ in (entry / "task").iterdir())
    return count


def _give_up_capabilities() -> None:
    for capability in range(_LAST_CAPABILITY + 1):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:
            break
    drop_capabilities()


def _readable() -> list[Path]:
    own = {sys.prefix, sys.base_prefix, *sys.path}
    return [Path(path) for path in sorted({*own, *_SYSTEM}) if path]
