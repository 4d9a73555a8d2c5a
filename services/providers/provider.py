"""What every provider does, and how it fails.

`complete` takes a chat completion's request, `embed` an embedding's, and gives the response in OpenAI's shape. A
refusal that asking again will not change raises `ProviderRefused`; one that may pass (429, 5xx, no answer) raises
`ProviderAway`.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import orjson

from foundation.errors import StillhouseError

_BUSY = 429


class Answer(NamedTuple):
    """A provider's answer, how long it took, and whether this call paid for it or shares another's.

    `batch` says that it came through the Batch API, at half the price.
    """

    body: dict[str, Any]
    latency_ms: int
    paid: bool = True
    batch: bool = False


class ProviderRefused(StillhouseError):
    """The provider's own refusal, to be passed on as it is."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        super().__init__(f"the provider answered {status}")
        self.status = status
        self.body = body
        self.headers = headers

    @property
    def message(self) -> str:
        """The provider's own words where it has some."""
        try:
            return str(orjson.loads(self.body)["error"]["message"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return str(self)


class ProviderAway(ProviderRefused):
    """The provider is busy or out of reach; `retry_after` in seconds where it says so.

    `final` is its word that asking again is of no use now.
    """

    def __init__(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str],
        retry_after: float | None = None,
        *,
        final: bool = False,
    ) -> None:
        super().__init__(status, body, headers)
        self.retry_after = retry_after
        self.final = final


class OverLimit(ProviderAway):
    """The limit that the stack sets for this provider has no room before the deadline; nobody was asked."""

    def __init__(self, name: str) -> None:
        message = f"The limit set for the provider '{name}' leaves no room for this call now."
        super().__init__(_BUSY, orjson.dumps({"error": {"message": message}}), {})


class Provider(Protocol):
    """Someone who answers chat completions, and embeddings if they have them."""

    async def complete(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        """Ask, and ask again while the provider is away, until the deadline, or only in the first `retry_s`."""
        ...

    async def embed(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        """The same for an embedding."""
        ...

    async def find_model(self, name: str) -> dict[str, Any] | None:
        """The model of this name; None if the provider has none."""
        ...

    async def list_models(self) -> list[dict[str, Any]]: ...
