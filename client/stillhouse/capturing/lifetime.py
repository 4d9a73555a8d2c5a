"""Close deliveries when the process ends, and reset them in a forked child.

In: each delivery registers once. Out: at exit all deliveries together have EXIT_S seconds to send what is queued; those
of a forked child start empty.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
import weakref
from functools import cache
from typing import Protocol

EXIT_S = 5.0


class Living(Protocol):
    """An object with a thread and a queue, which have to end with the process."""

    def after_fork(self) -> None: ...
    def stop(self) -> None: ...
    def close(self, timeout: float) -> None: ...


_living: weakref.WeakSet[Living] = weakref.WeakSet()


def follow(member: Living) -> None:
    _living.add(member)
    _hook_in()


@cache
def _hook_in() -> None:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)
    atexit.register(_close_all)


def _after_fork() -> None:
    for member in list(_living):
        member.after_fork()


def _close_all() -> None:
    deadline = time.monotonic() + EXIT_S
    for member in list(_living):
        member.stop()
    for member in list(_living):
        member.close(max(0.0, deadline - time.monotonic()))


def close_at_end(member: Living) -> None:
    """Close at the end of a multiprocessing worker: it skips atexit, but runs the finalizers of its own module."""
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(member, member.close, args=(EXIT_S,), exitpriority=10)
