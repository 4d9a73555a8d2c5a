"""The ends that a process and its forks come to.

In: every delivery once. Out: at exit each has a bounded time to deliver what is queued; a forked child starts empty.
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
    """What has a thread and a queue."""

    def after_fork(self) -> None: ...
    def stop(self) -> None: ...
    def close(self, timeout: float) -> None: ...


_living: weakref.WeakSet[Living] = weakref.WeakSet()


def follow(one: Living) -> None:
    _living.add(one)
    _hook_in()


@cache
def _hook_in() -> None:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)
    atexit.register(_close_all)


def _after_fork() -> None:
    for one in list(_living):
        one.after_fork()


def _close_all() -> None:
    deadline = time.monotonic() + EXIT_S
    for one in list(_living):
        one.stop()
    for one in list(_living):
        one.close(max(0.0, deadline - time.monotonic()))


def close_at_end(one: Living) -> None:
    """A worker of multiprocessing ends without atexit, but runs the finalizers of its own module."""
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(one, one.close, args=(EXIT_S,), exitpriority=10)
