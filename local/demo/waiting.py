"""Waiting for something to become true: polls, gives up after a time, and says what it waited for."""

import time
from collections.abc import Callable

POLL_SECONDS = 0.2


class DemoFailed(Exception):
    """The loop did not come to its end; the message says where."""


class GaveUp(DemoFailed):
    """Something did not happen in its time."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"waited {seconds:.0f} s for {what}; the stack's logs are under .local/logs")


def until[Found](what: str, probe: Callable[[], Found | None], *, seconds: float = 120) -> Found:
    """The first answer of `probe` that is not None."""
    deadline = time.monotonic() + seconds
    while (answer := probe()) is None:
        if time.monotonic() > deadline:
            raise GaveUp(what, seconds)
        time.sleep(POLL_SECONDS)
    return answer


class Patience:
    """Runs out when nothing has changed for a time."""

    def __init__(self, what: str, seconds: float = 180) -> None:
        self._what, self._seconds = what, seconds
        self._last: object = None
        self._since = time.monotonic()

    def wait(self, seen: object) -> None:
        """Wait one poll. Raises GaveUp if `seen` has been the same for too long."""
        if seen != self._last:
            self._last, self._since = seen, time.monotonic()
        elif time.monotonic() - self._since > self._seconds:
            raise GaveUp(self._what, self._seconds)
        time.sleep(POLL_SECONDS)
