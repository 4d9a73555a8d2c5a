"""A value that is read again when it has become old.

In: a function that reads the value, and how many seconds it may be old. Out: the value. A warm function lives for
hours, so what people change, such as a key, must not be read once and for all. A read that fails keeps the last good
value and is logged; only where there is none yet does its error reach the caller.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from foundation.consumer import logger

EVERY_S = 50.0
"""How old a value may be: changes are seen within a minute, the reading included."""


class Refreshed[Value]:
    """A value that `read` gives, at most `every_s` seconds old. `clock` counts seconds."""

    def __init__(
        self, read: Callable[[], Value], *, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._every_s = every_s
        self._clock = clock
        self._held: list[Value] = []
        self._tried = 0.0

    def get(self, *, within_s: float | None = None) -> Value:
        """The value, at most `within_s` seconds old, where that is less than what all callers get."""
        oldest_s = self._every_s if within_s is None else within_s
        if not self._held or self._clock() - self._tried >= oldest_s:
            self._refresh()
        return self._held[0]

    def _refresh(self) -> None:
        try:
            self._held = [self._read()]
        except Exception:
            if not self._held:
                raise
            logger().exception("a refresh failed: the last good value is kept")
        self._tried = self._clock()

    def forget(self) -> None:
        """Read it anew at the next call, without a last good value."""
        self._held = []
