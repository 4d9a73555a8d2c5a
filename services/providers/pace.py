"""How fast a provider is asked, by all workers together.

In: calls that want their turn. Out: their turn, when the limits of the provider have room; OverLimit where they have
none before the deadline, ProviderAway where the provider itself has asked for a longer wait than that.

The workers of a provider share one row, `PACE, <name>`. Slots for calls at the same time are leased from it, until the
worker's deadline, so that a worker that was killed keeps them no longer. A rate is a schedule: a worker takes the next
moments of it, a second's worth at a time, and makes one call at each (the virtual scheduling of ITU-T I.371). A wait
that the provider asks for stands in the row too, and everybody looks at it once a second. So a chunk of calls costs a
few reads and writes, not one a call.
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
    """What one provider takes from all workers together; 0 is no limit."""

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
        self._told = 0.0
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
                # What the call has brought is worth more than the slots, which expire.
                with suppress(ClientError, BotoCoreError):
                    self._give_back()

    def wait(self, seconds: float) -> None:
        """The provider wants nobody to ask for so long."""
        until = time.time() + seconds
        self._until = max(self._until, until)
        # A shorter wait would be over before the others look.
        if seconds >= _LOOK_EVERY_S and until > self._told + _LOOK_EVERY_S:
            self._told = until
            condition = "attribute_not_exists(#until) OR #until < :to_until"
            with suppress(ClientError, BotoCoreError):
                table.update(_PK, self._name, {"until": _ms(until)}, condition=condition)

    async def _take_slot(self, ends: float) -> None:
        while True:
            await self._look(ends)
            if (pause := self._until - time.time()) > 0:
                if time.time() + pause >= ends:
                    raise _asked_to_wait(pause)
                # Spread, so that the workers do not come back together.
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
        """See once a second how long the provider wants to be left alone, and lease the slots that are missing."""
        if time.time() - self._looked < _LOOK_EVERY_S and self._lease_ends > time.time():
            return
        # The calls that come at the same moment are to be counted in.
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
        """Take the next moments of the schedule: one for each call that wants one, at most a second's."""
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
        self._told = max(self._told, row["until"] / 1000)
        self._until = max(self._until, self._told)
        return row

    def _changed(self, row: table.Row, held: dict[str, Any]) -> bool:
        changes = {"held": orjson.dumps(held).decode(), "version": row["version"] + 1}
        return table.update(_PK, self._name, changes, where={"version": row["version"]})


def _held(row: table.Row) -> dict[str, tuple[int, int]]:
    """The slots by who holds them, and until when; what has expired is free."""
    held = orjson.loads(row["held"])
    return {holder: (slots, until) for holder, (slots, until) in held.items() if until > _ms(time.time())}


def _ms(moment: float) -> int:
    return math.ceil(moment * 1000)


def _asked_to_wait(seconds: float) -> ProviderAway:
    message = f"The model provider asked to be left alone for {seconds:.0f} s."
    return ProviderAway(_BUSY, orjson.dumps({"error": {"message": message}}), {}, seconds)
