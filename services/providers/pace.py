"""Keep the calls of all workers together within a provider's limits.

In: a call that waits for its turn. Out: its turn, as soon as the limits have room. Raises OverLimit if they have none
before the deadline, and ProviderAway if the provider has asked for a wait beyond it.

The workers of a provider share one row, `PACE, <name>`. A worker leases slots for simultaneous calls from it until its
own deadline, so that a worker that was killed does not keep them for longer. A rate is a schedule: a worker takes the
next moments of it, at most a second's worth at a time, and makes one call at each (the virtual scheduling of ITU-T
I.371). A wait that the provider asks for is written to the row too, and every worker reads the row once a second. So a
chunk of calls costs a few reads and writes, and not one for each call.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, Field

from foundation import table
from foundation.ids import new_id
from providers.provider import OverLimit, ProviderAway

_PK = "PACE"
_LOOK_EVERY_S = 1.0
_GRACE_S = 3.0
_ATTEMPTS = 10
_BUSY = 429


class Limits(BaseModel):
    """The limits of one provider for all workers together; 0 stands for no limit."""

    model_config = ConfigDict(frozen=True)

    requests_per_second: float = Field(default=0.0, ge=0)
    concurrency: int = Field(default=200, ge=0)


class Pace:
    """One worker's share in a provider's limits."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._limits = limits
        self._holder = new_id("")
        self._asking = asyncio.Lock()
        self._waiting = 0
        self._at_work = 0
        self._slots = asyncio.Semaphore(0)
        self._leased = 0
        self._lease_ends = 0.0
        self._moments: deque[float] = deque()
        self._until = 0.0
        self._shared_until = 0.0
        self._looked = 0.0

    @asynccontextmanager
    async def turn(self, ends: float) -> AsyncIterator[None]:
        """Wait for the turn of one call, which ends when the block does; `ends` is a moment of the epoch."""
        self._waiting += 1
        try:
            await self._take_slot(ends)
        finally:
            self._waiting -= 1
        self._at_work += 1
        try:
            await self._wait_for_moment(ends)
            yield
        finally:
            self._at_work -= 1
            self._slots.release()
            if not self._at_work and not self._waiting:
                # A failure here must not lose the call's answer; the slots expire by themselves.
                with suppress(ClientError, BotoCoreError):
                    self._give_back()

    def wait(self, seconds: float) -> None:
        """Note that the provider asks for a pause of so many seconds, for all workers."""
        until = time.time() + seconds
        self._until = max(self._until, until)
        # A shorter pause would be over before the other workers read the row.
        if seconds >= _LOOK_EVERY_S and until > self._shared_until + _LOOK_EVERY_S:
            self._shared_until = until
            condition = "attribute_not_exists(#until) OR #until < :to_until"
            with suppress(ClientError, BotoCoreError):
                table.update(_PK, self._name, {"until": _ms(until)}, condition=condition)

    async def _take_slot(self, ends: float) -> None:
        while True:
            await self._look(ends)
            if (pause := self._until - time.time()) > 0:
                if time.time() + pause >= ends:
                    raise _asked_to_wait(pause)
                # A random part spreads the workers, which would otherwise all come back at once.
                await asyncio.sleep(pause * random.uniform(1.0, 1.2))
                continue
            if not self._limits.concurrency:
                return
            try:
                async with asyncio.timeout(min(_LOOK_EVERY_S, ends - time.time())):
                    await self._slots.acquire()
            except TimeoutError:
                if time.time() >= ends:
                    raise OverLimit(self._name) from None
            else:
                return

    async def _look(self, ends: float) -> None:
        """Once a second, read how long the provider wants no calls, and lease the slots that are missing."""
        if time.time() - self._looked < _LOOK_EVERY_S and self._lease_ends > time.time():
            return
        # Let the calls that start at the same moment count themselves as waiting first.
        await asyncio.sleep(0)
        async with self._asking:
            if time.time() - self._looked >= _LOOK_EVERY_S or self._lease_ends <= time.time():
                self._lease(ends)
                self._looked = time.time()

    def _lease(self, ends: float) -> None:
        if self._lease_ends <= time.time():
            self._leased, self._lease_ends = 0, ends + _GRACE_S
            self._slots = asyncio.Semaphore(0)
        for _ in range(_ATTEMPTS):
            row = self._row()
            held = _held(row)
            held.pop(self._holder, None)
            free = max(0, self._limits.concurrency - sum(slots for slots, _ in held.values()))
            wanted = min(free, max(self._leased, self._at_work + self._waiting)) if self._limits.concurrency else 0
            if wanted <= self._leased or self._changed(row, held | {self._holder: (wanted, _ms(self._lease_ends))}):
                for _ in range(wanted - self._leased):
                    self._slots.release()
                self._leased = max(wanted, self._leased)
                return

    def _give_back(self) -> None:
        if not self._leased:
            return
        self._leased, self._lease_ends = 0, 0.0
        self._slots = asyncio.Semaphore(0)
        for _ in range(_ATTEMPTS):
            row = self._row()
            held = _held(row)
            if held.pop(self._holder, None) is None or self._changed(row, held):
                return

    async def _wait_for_moment(self, ends: float) -> None:
        if not self._limits.requests_per_second:
            return
        async with self._asking:
            while self._moments and self._moments[0] < time.time() - 1:
                self._moments.popleft()
            if not self._moments:
                self._reserve(ends)
        moment = self._moments.popleft() if self._moments else math.inf
        if moment >= ends:
            raise OverLimit(self._name)
        await asyncio.sleep(max(0.0, moment - time.time()))

    def _reserve(self, ends: float) -> None:
        """Take the next moments of the schedule: one for each call that needs one, at most a second's worth."""
        rate = self._limits.requests_per_second
        count = max(1, min(self._at_work + self._waiting, math.ceil(rate)))
        for _ in range(_ATTEMPTS):
            row = self._row()
            first = max(time.time(), row["next"] / 1000, self._until)
            if first >= ends:
                return
            if table.update(_PK, self._name, {"next": _ms(first + count / rate)}, where={"next": row["next"]}):
                self._moments.extend(first + number / rate for number in range(count))
                return

    def _row(self) -> table.Row:
        row = table.get(_PK, self._name)
        if row is None:
            row = {"pk": _PK, "sk": self._name, "version": 0, "held": "{}", "next": 0, "until": 0}
            table.put_new(row)
        self._shared_until = max(self._shared_until, row["until"] / 1000)
        self._until = max(self._until, self._shared_until)
        return row

    def _changed(self, row: table.Row, held: dict[str, Any]) -> bool:
        changes = {"held": orjson.dumps(held).decode(), "version": row["version"] + 1}
        return table.update(_PK, self._name, changes, where={"version": row["version"]})


def _held(row: table.Row) -> dict[str, tuple[int, int]]:
    """The number of slots and the end of the lease of each holder, without expired leases."""
    held = orjson.loads(row["held"])
    return {holder: (slots, until) for holder, (slots, until) in held.items() if until > _ms(time.time())}


def _ms(moment: float) -> int:
    return math.ceil(moment * 1000)


def _asked_to_wait(seconds: float) -> ProviderAway:
    message = f"The model provider asked to be left alone for {seconds:.0f} s."
    return ProviderAway(_BUSY, orjson.dumps({"error": {"message": message}}), {}, seconds)
