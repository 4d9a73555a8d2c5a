"""The process's one event loop, so that connections outlive an invocation."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import cache
from typing import Any


@cache
def _runner() -> asyncio.Runner:
    return asyncio.Runner()


def run[Result](work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on the process's one loop, so that connections outlive an invocation."""
    return _runner().run(work)
