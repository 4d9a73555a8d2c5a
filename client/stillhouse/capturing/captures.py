"""What hangs at a wrapped client as `client.stillhouse`: wait for what was captured, look at the counts."""

from __future__ import annotations

import asyncio
import weakref

from stillhouse.capturing.counts import Counts, Tally
from stillhouse.capturing.delivery import Delivery
from stillhouse.capturing.lifetime import EXIT_S


class Captures:
    """The captured completions of one wrapped client and its copies."""

    def __init__(self, delivery: Delivery, tally: Tally) -> None:
        self._delivery = delivery
        self._tally = tally
        # A client that nobody holds any more takes its thread with it; at exit `_close_all` waits for it.
        weakref.finalize(self, delivery.stop).atexit = False

    @property
    def counts(self) -> Counts:
        """What became of the completions captured by this process."""
        return self._tally.snapshot()

    def flush(self, timeout: float = 30.0) -> bool:
        """Wait until everything captured so far can be read back. False if `timeout` seconds were not enough."""
        return self._delivery.flush(timeout)

    async def aflush(self, timeout: float = 30.0) -> bool:  # noqa: ASYNC109 - the same meaning as in `flush`
        """The same, for async code."""
        return await asyncio.to_thread(self._delivery.flush, timeout)

    def close(self, timeout: float = EXIT_S) -> None:
        """Deliver and end the thread; a later call starts it again. Happens by itself when the process ends."""
        self._delivery.close(timeout)
