"""The seam of providers: what every provider does, and how it fails.

`complete` takes the request of a chat completion, `respond` that of a response, `embed` that of an embedding; they
return the answer in OpenAI's shape. A failure that another attempt would not change raises `ProviderRefused`; one that
may pass (429, 5xx, no answer) raises `ProviderAway`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, Self

import orjson

from foundation import foreign_json
from foundation.errors import StillhouseError
from foundation.foreign_json import NotJSON

_BUSY = 429


class Answer(NamedTuple):
    """A provider's answer, the milliseconds it took, and in `paid` whether this call paid for it.

    An answer that another call has paid for is not `paid`. `batch` is whether it came through the Batch API, at half
    the price.
    """

    body: dict[str, Any]
    latency_ms: int
    paid: bool = True
    batch: bool = False


class Passed(NamedTuple):
    """A provider's answer as it came: its status, its bytes, and the headers that are passed on."""

    status: int
    body: bytes
    headers: dict[str, str]


class Event(NamedTuple):
    """The data of an event as it came, and the JSON object in it; None where it holds none, as in `[DONE]`."""

    data: bytes
    document: dict[str, Any] | None

    @classmethod
    def of(cls, data: bytes) -> Self:
        try:
            document = foreign_json.read(data)
        except NotJSON:
            document = None
        return cls(data, document if isinstance(document, dict) else None)


class EventStream(Protocol):
    """An answer that comes event by event, of which the first has come. `first_ms` are the milliseconds until then."""

    first_ms: int

    async def next(self) -> Event | None:
        """The next event as soon as it is there; None at the end. Raises ProviderAway where it breaks off."""
        ...

    def took_ms(self) -> int:
        """The milliseconds since it was asked for."""
        ...

    async def end(self) -> None:
        """Read no further, but for an end that is there at once: the connection then serves the next call, too."""
        ...

    def close(self) -> None:
        """Read no further."""
        ...


def has_message(body: Any) -> bool:
    """Whether an answer is a chat completion with a message, so that there is something to grade."""
    choices = body.get("choices") if isinstance(body, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, dict) and isinstance(first.get("message"), dict)


class ProviderRefused(StillhouseError):
    """The provider's own refusal: its status, body and headers, which are passed on unchanged."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        super().__init__(f"the provider answered {status}")
        self.status = status
        self.body = body
        self.headers = headers

    @property
    def message(self) -> str:
        """The message in the provider's body, if it has one."""
        message = self._said("message")
        return str(self) if message is None else str(message)

    @property
    def code(self) -> Any:
        """The code in the provider's body, None without one."""
        return self._said("code")

    def _said(self, name: str) -> Any:
        try:
            return foreign_json.read(self.body)["error"][name]
        except (NotJSON, KeyError, TypeError):
            return None


class ProviderAway(ProviderRefused):
    """The provider is busy or cannot be reached; `retry_after` is the wait that it asks for, in seconds.

    `final` is true if the provider says that asking again is of no use for now. `provider` is what it is called here,
    where that is known.
    """

    provider: str | None = None

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


class NoResponses(ProviderRefused):
    """The provider has no Responses API, as far as its refusal tells: a 404 may also mean the model.

    Whoever then gets a chat completion of that model calls `confirm`, and later calls are refused without asking.
    """

    def __init__(self, refusal: ProviderRefused, confirm: Callable[[], None]) -> None:
        super().__init__(refusal.status, refusal.body, refusal.headers)
        self.confirm = confirm


class OverLimit(ProviderAway):
    """The stack's own limit for this provider has no room before the deadline, so the provider was not called."""

    def __init__(self, name: str) -> None:
        message = f"The limit set for the provider '{name}' leaves no room for this call now."
        super().__init__(_BUSY, orjson.dumps({"error": {"message": message}}), {})


class Provider(Protocol):
    """A model provider: answers chat completions, and responses and embeddings if it has them."""

    async def complete(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        """Ask, and ask again while the provider is away, until the deadline, or within the first `retry_s` seconds."""
        ...

    async def respond(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        """The same for a response of the Responses API. Raises NoResponses where the provider has no such route."""
        ...

    async def embed(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        """The same for an embedding."""
        ...

    async def pass_on(self, path: str, body: bytes, content_type: str, *, deadline_s: float) -> Passed:
        """POST a request to one of the provider's other routes, such as `/audio/speech`, once."""
        ...

    async def find_model(self, name: str) -> dict[str, Any] | None:
        """The model of this name; None if the provider has none."""
        ...

    async def list_models(self) -> list[dict[str, Any]]: ...


class StreamingProvider(Provider, Protocol):
    """A provider that gives its answers event by event, too, where it can."""

    async def stream(
        self, request: dict[str, Any], *, deadline_s: float, ends: float, retry_s: float | None = None
    ) -> EventStream | Answer:
        """The answer to a chat completion event by event, once the first has come within `deadline_s`.

        The others come until `ends`, on the monotonic clock. A provider that has no streams gives the whole answer.
        Nothing is asked again after the first event.
        """
        ...

    async def stream_response(
        self, request: dict[str, Any], *, deadline_s: float, ends: float, retry_s: float | None = None
    ) -> EventStream | Answer:
        """The same for a response of the Responses API. Raises NoResponses where the provider has no such route."""
        ...
