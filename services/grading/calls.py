"""Paid model calls of one chunk, each made once whatever is redelivered.

In: the request of a chat completion or an embedding. Out: its answer, from the calls already stored for this chunk
or from the provider. Answers are stored while the work goes on and when it ends, also when it ends in an error, before
anything that depends on them is written.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from backports import zstd

from foundation import blobs
from foundation.ids import new_id
from foundation.models import Answer, Provider

_AT_ONCE = 50
_STORE_EVERY_S = 5.0


class Calls:
    """The calls of one chunk. Identical requests share one answer, which one of them has paid for."""

    def __init__(self, prefix: str, provider: Provider, deadline_s: float) -> None:
        self._prefix = prefix
        self._provider = provider
        self._ends = time.monotonic() + deadline_s
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._answers: dict[str, asyncio.Future[Answer]] = {}
        self._booked: set[str] = set()
        self._unstored: list[dict[str, Any]] = []
        self._stored_at = time.monotonic()

    def load(self) -> None:
        """Take over what an earlier delivery paid for."""
        for key in blobs.keys(self._prefix):
            for line in zstd.decompress(blobs.get(key)).splitlines():
                call = orjson.loads(line)
                stored: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
                stored.set_result(Answer(call["body"], call["latency_ms"]))
                self._answers[call["request"]] = stored

    async def complete(self, request: dict[str, Any]) -> Answer:
        """Raises ProviderRefused or ProviderAway, as the provider does."""
        return await self._once(request, self._provider.complete)

    async def embed(self, request: dict[str, Any]) -> Answer:
        """Raises ProviderRefused or ProviderAway, as the provider does."""
        return await self._once(request, self._provider.embed)

    async def _once(self, request: dict[str, Any], ask: Callable[..., Awaitable[Answer]]) -> Answer:
        digest = hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).hexdigest()
        under_way = self._answers.get(digest)
        if under_way is None:
            under_way = asyncio.ensure_future(self._ask(digest, request, ask))
            self._answers[digest] = under_way
        answer = await asyncio.shield(under_way)
        shared = digest in self._booked
        self._booked.add(digest)
        return answer._replace(paid=not shared)

    async def _ask(self, digest: str, request: dict[str, Any], ask: Callable[..., Awaitable[Answer]]) -> Answer:
        async with self._slots:
            answer = await ask(request, deadline_s=max(0.5, self._ends - time.monotonic()))
        self._unstored.append({"request": digest, "body": answer.body, "latency_ms": answer.latency_ms})
        if time.monotonic() - self._stored_at > _STORE_EVERY_S:
            self.store()
        return answer

    def store(self) -> None:
        """Write the answers that are not written yet, as one more object."""
        if self._unstored:
            lines = b"\n".join(orjson.dumps(call) for call in self._unstored)
            blobs.put(f"{self._prefix}{new_id('')}.jsonl.zst", zstd.compress(lines))
            self._unstored = []
        self._stored_at = time.monotonic()


@asynccontextmanager
async def opened(prefix: str, provider: Provider, deadline_s: float) -> AsyncIterator[Calls]:
    """The calls under a prefix, stored at the end however it comes."""
    calls = Calls(prefix, provider, deadline_s)
    calls.load()
    try:
        yield calls
    finally:
        calls.store()
