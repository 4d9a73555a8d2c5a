"""Count what became of the captured completions of one process, and log each kind of trouble once."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace

log = logging.getLogger("stillhouse")


@dataclass
class Counts:
    """Every captured completion ends in exactly one of the other figures, or is still on its way."""

    captured: int = 0
    delivered: int = 0  # acknowledged, which means durable
    discarded: int = 0  # the redact hook returned None
    redact_failed: int = 0  # the redact hook raised, or returned something that is no JSON object
    incomplete: int = 0  # a stream that was abandoned, or broke, before its end
    refused: int = 0  # Stillhouse refused it for good, or would: it is larger than what is kept
    dropped: int = 0  # there was no room left, or the wrapper itself failed


class Tally:
    """The counts, shared by the caller's threads and the background thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = Counts()
        self._logged: set[str] = set()

    def add(self, name: str, number: int = 1) -> None:
        with self._lock:
            setattr(self._counts, name, getattr(self._counts, name) + number)

    def restart(self) -> None:
        """Start again at zero in a forked child: the counts so far are the parent's."""
        self._lock = threading.Lock()
        self._counts = Counts()

    def snapshot(self) -> Counts:
        with self._lock:
            return replace(self._counts)

    def warn_once(self, kind: str, message: str, *args: object) -> None:
        """Log a warning, unless this kind was logged since the last `settled`."""
        with self._lock:
            known = kind in self._logged
            self._logged.add(kind)
        if not known:
            log.warning(message, *args)

    def knows(self, kind: str) -> bool:
        """Whether this kind of trouble was logged and is not over."""
        with self._lock:
            return kind in self._logged

    def settled(self, kind: str) -> bool:
        """Mark a kind of trouble as over, so that its next occurrence is logged. True if it had been logged."""
        with self._lock:
            known = kind in self._logged
            self._logged.discard(kind)
        return known
