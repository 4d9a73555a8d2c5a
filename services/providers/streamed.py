"""An answer that its provider sends event by event, over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Self

import aiohttp

from providers.away import as_away
from providers.provider import Event, ProviderAway
from providers.server_sent import Events

_END_S = 0.1


class HttpEvents:
    """An EventStream. `asked` is when it was asked for, on the monotonic clock; `begin` comes before all else."""

    def __init__(self, answer: aiohttp.ClientResponse, asked: float) -> None:
        self._answer = answer
        self._asked = asked
        self._events = Events()
        self._ready: deque[Event] = deque()
        self._ended = False
        self._document: list[bytes] = []
        self.first: Event | None = None
        self.first_ms = 0

    async def begin(self) -> Self:
        """Wait for the first event, which `next` gives, too. `first` is None where the answer ends without any."""
        self.first = await self.next()
        self.first_ms = self.took_ms()
        if self.first:
            self._ready.appendleft(self.first)
        return self

    async def next(self) -> Event | None:
        while not self._ready and not self._ended:
            try:
                self._ready.extend([Event.of(data) for data in await self._read()])
            except BaseException:
                self.close()
                raise
        return self._ready.popleft() if self._ready else None

    async def _read(self) -> list[bytes]:
        """The data of the events that the next piece ends, or the end of the answer."""
        with as_away():
            piece = await self._answer.content.readany()
            if self.first is None and (self._document or piece.lstrip().startswith((b"{", b"["))):
                self._document.append(piece)
            self._ended = not piece and self._answer.content.at_eof()
            return list(self._events.rest() if self._ended else self._events.feed(piece))

    def whole(self) -> bytes:
        """An answer that is one JSON document, of a server without streams; no byte of any other."""
        return b"" if self.first else b"".join(self._document)

    def took_ms(self) -> int:
        return round((time.monotonic() - self._asked) * 1000)

    async def end(self) -> None:
        try:
            async with asyncio.timeout(_END_S):
                while await self.next():
                    """What comes after the end says nothing."""
        except (TimeoutError, ProviderAway):
            self.close()

    def close(self) -> None:
        # A connection with something left in it is closed with it.
        self._ready.clear()
        self._ended = True
        self._answer.close()
