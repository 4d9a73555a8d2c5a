"""The one event loop of the process. HTTP connections belong to a loop: with a single one, invocations share them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import cache
from typing import Any


@cache
def _runner() -> asyncio.Runner:
    return asyncio.Runner()


def run[Result](work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on the process's loop and return its result."""
    return _runner().run(work)


def is_running() -> bool:
    """Whether this is called from within a coroutine, so that other calls may be under way."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
