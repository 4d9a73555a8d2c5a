"""What a provider has that AWS runs: chat completions, of the models that its entry lists.

Such a provider has neither OpenAI's Responses API nor its other routes, no Batch API of OpenAI's shape, and no list of
models of that shape: who adds it lists them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import orjson

from foundation.errors import ApiError
from providers.batch_api import BatchAPI
from providers.entry import Entry
from providers.provider import Answer, EventStream, NoResponses, Passed, ProviderRefused
from providers.routing import listed_model

_NOT_FOUND = 404


class ListedModels(ABC):
    """The part of a provider that is the same for all kinds that AWS runs."""

    def __init__(self, entry: Entry, where: str) -> None:
        self._models = entry.models
        self._where = where

    @abstractmethod
    async def complete(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer: ...

    async def stream(
        self,
        request: dict[str, Any],
        *,
        deadline_s: float,
        ends: float,  # noqa: ARG002 - every provider's
        retry_s: float | None = None,
    ) -> EventStream | Answer:
        """The whole answer: these kinds are not asked for pieces."""
        return await self.complete(request, deadline_s=deadline_s, retry_s=retry_s)

    async def stream_response(self, request: dict[str, Any], **_: Any) -> EventStream | Answer:  # noqa: ARG002 - the same
        raise NoResponses(self._lacks("the Responses API"), lambda: None)

    async def respond(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:  # noqa: ARG002 - every provider's
        raise NoResponses(self._lacks("the Responses API"), lambda: None)

    async def embed(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:  # noqa: ARG002 - the same
        raise self._lacks("embeddings in OpenAI's shape")

    async def pass_on(self, path: str, body: bytes, content_type: str, *, deadline_s: float) -> Passed:  # noqa: ARG002 - the same
        raise self._lacks(f"a route {path}")

    async def find_model(self, name: str) -> dict[str, Any] | None:
        return listed_model(name, self._where) if name in self._models else None

    async def list_models(self) -> list[dict[str, Any]]:
        return [listed_model(name, self._where) for name in self._models]

    def batch_api(self, *, timeout_s: float) -> BatchAPI | None:  # noqa: ARG002 - the same
        return None

    def _lacks(self, what: str) -> ProviderRefused:
        body = ApiError(f"{self._where} has not {what} here.", code="unsupported_route").body()
        return ProviderRefused(_NOT_FOUND, orjson.dumps(body), {})
