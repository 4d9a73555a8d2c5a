"""The batches that Stillhouse acknowledged but may not have recorded yet: a flush waits until they can be read.

In: batch ids. Out: whether all of them are recorded by a deadline. Used by several threads.
"""

from __future__ import annotations

import threading
import time
from collections import deque

from stillhouse.capturing.counts import log
from stillhouse.capturing.endpoint import Away, Endpoint, Refused

_POLL_S = 0.05
_LONGEST_POLL_S = 1.0
# A batch acknowledged longer ago than this is recorded, or it is in the dead-letter queue.
_CONFIRM_WITHIN_S = 600.0


class Unconfirmed:
    """The latest batches and when they were acknowledged."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._batches: deque[tuple[str, float]] = deque(maxlen=256)

    def add(self, batch_id: str) -> None:
        with self._lock:
            self._batches.append((batch_id, time.monotonic()))

    def wait(self, deadline: float) -> bool:
        """Whether all of them are recorded by `deadline`, in seconds of the monotonic clock."""
        with self._lock:
            waiting = list(self._batches)
        return all(self._recorded(batch_id, at, deadline) for batch_id, at in waiting)

    def _recorded(self, batch_id: str, at: float, deadline: float) -> bool:
        pause = _POLL_S
        while time.monotonic() - at < _CONFIRM_WITHIN_S:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            try:
                if self._endpoint.recorded(batch_id, left):
                    break
            except (Away, Refused) as error:
                log.debug("asking for %s: %s", batch_id, error)
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_POLL_S)
        with self._lock:
            if (batch_id, at) in self._batches:
                self._batches.remove((batch_id, at))
        return True
