"""Waiting for something to become true: polls, gives up after a time, and says what it waited for."""

import time
from collections.abc import Callable

POLL_SECONDS = 0.2


class DemoFailed(Exception):
    """The loop did not come to its end; the message says where."""


class GaveUp(DemoFailed):
    """Something did not happen in its time."""

    def __init__(self, event: str, seconds: float) -> None:
        super().__init__(f"waited {seconds:.0f} s for {event}; the stack's logs are under .local/logs")


def until[Answer](event: str, probe: Callable[[], Answer | None], *, seconds: float = 120) -> Answer:
    """The first answer of `probe` that is not None. Raises GaveUp, naming the event, if none comes in these seconds."""
    deadline = time.monotonic() + seconds
    while (answer := probe()) is None:
        if time.monotonic() > deadline:
            raise GaveUp(event, seconds)
        time.sleep(POLL_SECONDS)
    return answer


class Patience:
    """Waits for an event poll by poll, as long as something changes at least every `seconds`."""

    def __init__(self, event: str, seconds: float = 180) -> None:
        self._event, self._seconds = event, seconds
        self._last: object = None
        self._since = time.monotonic()

    def wait(self, seen: object) -> None:
        """Wait one poll. Raises GaveUp if `seen` has been the same for too long."""
        if seen != self._last:
            self._last, self._since = seen, time.monotonic()
        elif time.monotonic() - self._since > self._seconds:
            raise GaveUp(self._event, self._seconds)
        time.sleep(POLL_SECONDS)
