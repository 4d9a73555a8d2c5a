"""A function in a process of its own, so that its memory is its own."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context
from typing import Any


def apart[Answer](function: Callable[..., Answer], *arguments: Any) -> Answer:
    """Call a module's function in a process that is forked from this one, and begins with the memory that this has."""
    with get_context("fork").Pool(1) as pool:
        return pool.apply(function, arguments)
