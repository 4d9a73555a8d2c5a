"""The paid model calls of one chunk. Each is made once, even if the chunk is delivered several times.

In: the request of a chat completion or an embedding. Out: its answer, from the calls already stored for this chunk,
from what the eval has paid for in other chunks (`paid.py`), or from the provider. Answers are stored every few seconds
and when the work on the chunk ends, even in an error, before anything that depends on them is written.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from foundation import blobs
from foundation.errors import RetryLater
from foundation.ids import new_id
from graders import sandbox
from grading.paid import Paid, answers, packed
from providers import Answer, OverLimit, Provider, ProviderAway, ProviderRefused, has_message
from providers.pins import Pin

_AT_ONCE = 50
_BAD_GATEWAY = 502
_STORE_EVERY_S = 5.0
_STORE_GRACE_S = 3.0
_NO_PINS: Mapping[str, Pin] = MappingProxyType({})


def digest_of(request: dict[str, Any], pins: Mapping[str, Pin] = _NO_PINS) -> str:
    """The request's SHA-256, by which its answer is stored. Requests with the same content have the same digest.

    A model whose name is pinned counts as the one that the pin identifies, whatever its name means later.
    """
    pin = pins.get(request.get("model") or "")
    if pin:
        request = {**request, "model": pin.identity}
    return hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).hexdigest()


class Calls:
    """The calls of one chunk. Identical requests share one answer, of which only the first counts as `paid`.

    While the provider is away, a call is repeated for `retry_s` seconds. If the provider says that repeating is of no
    use, or if `gives_up` is set, its failure is raised as ProviderRefused instead of ProviderAway. `answered` and
    `failed` count the calls of this delivery; answers that were stored before are in neither.
    """

    def __init__(
        self,
        prefix: str,
        provider: Provider,
        deadline_s: float,
        *,
        paid: Paid | None = None,
        retry_s: float | None = None,
        gives_up: bool = False,
        pins: Mapping[str, Pin] = _NO_PINS,
    ) -> None:
        self._pins = pins
        self.answered = 0
        self.failed = 0
        self._prefix = prefix
        self._provider = provider
        self._paid = paid
        self._ends = time.monotonic() + deadline_s
        # Fewer slots than a chunk has rows, so that some rows are graded while others wait for the model.
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._retry_s = retry_s
        self._gives_up = gives_up
        self._answers: dict[str, asyncio.Future[Answer]] = {}
        self._booked: set[str] = set()
        self._unstored: dict[str, Answer] = {}
        self._unpublished: dict[str, list[str]] = {}
        self._stored_at = time.monotonic()
        self._slowest_s = 0.0

    def load(self) -> None:
        """Read the answers that earlier deliveries of this chunk have stored."""
        for key in blobs.keys(self._prefix):
            for digest, answer in answers(blobs.get(key)):
                stored: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
                stored.set_result(answer)
                self._answers[digest] = stored
                self._unpublished.setdefault(key, []).append(digest)

    async def complete(self, request: dict[str, Any]) -> Answer:
        """Raises ProviderRefused or ProviderAway, as the provider does."""
        return await self._once(request, self._completion, self._paid)

    async def embed(self, request: dict[str, Any]) -> Answer:
        """Raises ProviderRefused or ProviderAway, as the provider does."""
        return await self._once(request, self._provider.embed, self._paid)

    async def run_source(self, request: dict[str, Any]) -> Answer:
        """Raises ProviderAway while the sandbox is busy."""
        return await self._once(request, sandbox.grade, paid=None)

    async def _completion(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None) -> Answer:
        """Ask the provider. An answer without a message is raised as ProviderRefused, so that it is not stored."""
        answer = await self._provider.complete(request, deadline_s=deadline_s, retry_s=retry_s)
        if not has_message(answer.body):
            message = {"error": {"message": "The model provider's answer holds no message."}}
            raise ProviderRefused(_BAD_GATEWAY, orjson.dumps(message), {})
        return answer

    async def _once(self, request: dict[str, Any], ask: Callable[..., Awaitable[Answer]], paid: Paid | None) -> Answer:
        digest = digest_of(request, self._pins)
        under_way = self._answers.get(digest)
        if under_way is None:
            under_way = asyncio.ensure_future(self._find_or_ask(digest, request, ask, paid))
            self._answers[digest] = under_way
        answer = await asyncio.shield(under_way)
        first = digest not in self._booked
        self._booked.add(digest)
        return answer if first else answer._replace(paid=False)

    async def _find_or_ask(
        self, digest: str, request: dict[str, Any], ask: Callable[..., Awaitable[Answer]], paid: Paid | None
    ) -> Answer:
        known = await paid.find(digest) if paid else None
        if known:
            return known._replace(paid=False)
        try:
            async with self._slots:
                answer = await ask(request, deadline_s=self._left_s(), retry_s=self._retry_s)
        except OverLimit:
            raise
        except ProviderAway as away:
            self.failed += 1
            if away.final or self._gives_up:
                raise ProviderRefused(away.status, away.body, away.headers) from away
            raise
        self.answered += 1
        self._slowest_s = max(self._slowest_s, answer.latency_ms / 1000)
        self._unstored[digest] = answer
        if time.monotonic() - self._stored_at > _STORE_EVERY_S:
            self.store()
        return answer

    def _left_s(self) -> float:
        """The seconds that one more call may take.

        Raises OverLimit if the slowest call so far took longer than the time that is left: a call that is cut off is
        paid for and its answer lost, so the next worker makes it.
        """
        left_s = self._ends - time.monotonic()
        if left_s < self._slowest_s:
            raise OverLimit("worker")
        return max(0.5, left_s)

    def store(self) -> None:
        """Write the new answers to S3 as one object, then publish to the eval's other chunks where they lie."""
        if self._unstored:
            key = f"{self._prefix}{new_id('')}.jsonl.zst"
            self._put(key, packed(self._unstored.items()))
            self._unpublished[key] = list(self._unstored)
            self._unstored = {}
        if self._paid:
            # If publishing fails, nothing is lost: the answers lie in S3, and another chunk at worst asks once more.
            with suppress(RetryLater, ClientError, BotoCoreError):
                self._paid.publish(self._unpublished)
                self._unpublished = {}
        self._stored_at = time.monotonic()

    def _put(self, key: str, body: bytes) -> None:
        """Write an object of paid answers. Repeated beyond botocore's own attempts, until the deadline and 3 s more."""
        while True:
            try:
                return blobs.put(key, body)
            except (ClientError, BotoCoreError):
                if time.monotonic() > self._ends + _STORE_GRACE_S:
                    raise
                time.sleep(0.3)


@asynccontextmanager
async def opened(calls: Calls) -> AsyncIterator[None]:
    """Load the stored answers on entry, and store the new ones on exit, also after an error."""
    calls.load()
    try:
        yield
    finally:
        calls.store()
