"""The attribute `client.stillhouse` of a captured client: wait for delivery, and read the counts."""

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
        # The thread ends when the client is garbage-collected; at exit `_close_all` waits for it instead.
        weakref.finalize(self, delivery.stop).atexit = False

    @property
    def counts(self) -> Counts:
        """The counts of the completions captured by this process, by what became of them."""
        return self._tally.snapshot()

    def flush(self, timeout: float = 30.0) -> bool:
        """Wait until everything captured so far can be read back. False if `timeout` seconds were not enough."""
        return self._delivery.flush(timeout)

    async def aflush(self, timeout: float = 30.0) -> bool:  # noqa: ASYNC109 - the same meaning as in `flush`
        """`flush` for async code."""
        return await asyncio.to_thread(self._delivery.flush, timeout)

    def close(self, timeout: float = EXIT_S) -> None:
        """Deliver what is queued and end the thread; a later call starts it again. Called when the process ends."""
        self._delivery.close(timeout)
