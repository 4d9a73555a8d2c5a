"""The aliases that an application names, as Stillhouse has them: fetched in the background, used without a hop.

In: the names, each with the model that answers while nothing is known of it. Out: the alias, at most `ttl` seconds old.
While Stillhouse is away the last known one holds. Nothing here raises into the application, and no call waits longer
than a second: only one that comes after a silence of `ttl` waits for news at all.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from stillhouse.capturing import lifetime
from stillhouse.capturing.choosing import Caller, choose
from stillhouse.capturing.counts import Tally, log
from stillhouse.capturing.endpoint import Away, Endpoint, Refused

_WAIT_S = 1.0
_LOOK_S = 0.01
_PAUSE_S = 5.0


class Aliases:
    """What is known of each alias. Everything under `_lock` is shared with the thread that asks. `clock` is seconds."""

    def __init__(
        self,
        endpoint: Endpoint,
        defaults: Mapping[str, str],
        ttl: float,
        tally: Tally,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.defaults = dict(defaults)
        self._endpoint = endpoint
        self._ttl = ttl
        self._tally = tally
        self._clock = clock
        self._known: dict[str, dict[str, Any] | None] = {}
        self._at = self._tried = float("-inf")
        self.after_fork()
        if self.defaults:
            lifetime.follow(self)
            self._ask()

    def after_fork(self) -> None:
        """Ask anew in a forked child, whose thread is the parent's; what is known stays."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def stop(self) -> None:
        """A thread that asks ends by itself."""

    def close(self, timeout: float) -> None:
        """Nothing is left to do at the end."""

    def find(self, name: str) -> dict[str, Any] | None:
        """The alias of this name; None where nothing is known of it, or it is deleted."""
        asking = self._ask() if self._must_wait() else None
        if asking:
            asking.join(_WAIT_S)
        return self._known.get(name)

    async def afind(self, name: str) -> dict[str, Any] | None:
        """`find` for async code."""
        asking = self._ask() if self._must_wait() else None
        ends = time.monotonic() + _WAIT_S
        # Many calls may wait at once: none takes a thread of the application's for it.
        while asking and asking.is_alive() and time.monotonic() < ends:  # noqa: ASYNC110 - a thread sets no asyncio event
            await asyncio.sleep(_LOOK_S)
        return self._known.get(name)

    def _must_wait(self) -> bool:
        """Whether what is known is too old; what soon will be is asked for beside the call."""
        now = self._clock()
        age = now - self._at
        if age < self._ttl / 2:
            return False
        if self._tried > self._at and now - self._tried < min(self._ttl, _PAUSE_S):
            return False
        if age < self._ttl or self._tally.knows("aliases"):
            # Stillhouse is known to be away: no call waits for it again.
            self._ask()
            return False
        return True

    def _ask(self) -> threading.Thread | None:
        """The thread that asks; None where the process can start none, as while it ends."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._refresh, name="stillhouse-aliases", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:
                    self._failed(error)
                    return None
                self._thread = thread
            return self._thread

    def _refresh(self) -> None:
        began = self._clock()
        try:
            known = {name: _checked(self._endpoint.alias(name)) for name in self.defaults}
        except Exception as error:  # noqa: BLE001 - whatever came, the last known aliases hold
            self._failed(error)
            return
        self._known = known
        self._at = self._tried = began
        if self._tally.settled("aliases"):
            log.info("aliases can be read again")

    def _failed(self, error: Exception) -> None:
        reason = error if isinstance(error, Away | Refused) else type(error).__name__
        self._tried = self._clock()
        self._tally.warn_once("aliases", "aliases cannot be read (%s): the last known ones hold", reason)


def _checked(alias: dict[str, Any] | None) -> dict[str, Any] | None:
    """The alias, if a call can be made by it. Raises what a wrong shape raises."""
    if alias is not None:
        for target in alias["targets"]:
            choose(alias, Caller({"user": "x"}, [], dict(target["when"])))
            cascade = target.get("cascade")
            if cascade and (not cascade["place"]["model"] or cascade["by"] == "logprob"):
                float(cascade["threshold"])
    return alias
