"""A chat completion that is given on event by event, and captured when it has ended.

In: the events of a provider, of which the first has come. Out: the body of the event stream in pieces, each as soon as
its event is there. The capture comes before the last event, `[DONE]`: who has read that can rely on it. A stream that
breaks off ends with an error as its last event, and nothing is captured of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from foundation import loop
from foundation.consumer import logger
from gateway.assembled import Assembled
from gateway.fallback import MARGIN_S
from providers import Event, EventStream, ProviderAway, ProviderRefused

DONE = b"[DONE]"
"""The data of a chat completion's last event."""
_TOKENS_BESIDE = frozenset({"role"})

type Capture = Callable[[dict[str, Any], int, int | None], object]
"""Captures a completion that took so many milliseconds, and so many until its first token. Never raises."""


class LiveChat:
    """The answer to one chat completion. `ends` is when the call is cut, on the monotonic clock.

    `counted` is whether the caller has asked for usage. `once` are fields that the first event has, beside its own.
    `lost` is called where the stream has ended, and is nothing that can be captured.
    """

    def __init__(
        self,
        stream: EventStream,
        *,
        counted: bool,
        once: dict[str, Any],
        capture: Capture,
        lost: Callable[[], None],
        ends: float,
    ) -> None:
        self._stream = stream
        self._counted = counted
        self._once = once
        self._capture = capture
        self._lost = lost
        self._ends = ends
        self._assembled = Assembled()
        self._first_token_ms: int | None = None

    def pieces(self) -> Iterator[bytes]:
        """The body of the event stream."""
        try:
            while (event := loop.run(self._stream.next())) and not event.data.startswith(DONE):
                if is_error(event):
                    yield _written(event.data)
                    return
                yield from self._shown(event)
            yield from self._end(done=event is not None)
            loop.run(self._stream.end())
        except ProviderAway as away:
            yield _error(*why_broken(away, self._ends))
        finally:
            self._stream.close()

    def _shown(self, event: Event) -> Iterator[bytes]:
        data = self._as_asked(event)
        if self._first_token_ms is None and event.document and has_token(event.document):
            self._first_token_ms = self._stream.took_ms()
        # What is put together takes parts of the chunk and adds to them: the chunk is written by now.
        self._assembled.add(event)
        if data is not None:
            yield _written(data)

    def _as_asked(self, event: Event) -> bytes | None:
        """An event's data as the caller wants it; None where it is only about the usage, which we asked for."""
        chunk = event.document
        if chunk is None:
            return event.data
        if not self._counted and chunk.get("usage") and not chunk.get("choices"):
            return None
        asked = {**chunk, **self._once}
        self._once = {}
        if not self._counted and not chunk.get("usage"):
            asked.pop("usage", None)
        return event.data if asked == chunk else orjson.dumps(asked)

    def _end(self, *, done: bool) -> Iterator[bytes]:
        completion = self._assembled.completion()
        if completion is not None:
            self._capture(completion, self._stream.took_ms(), self._first_token_ms)
        elif done:
            self._lost()
        else:
            yield _error("The model provider's stream broke off.", "stream_broken")
            return
        yield _written(DONE)


def is_error(event: Event) -> bool:
    """Whether an event says that the provider could not go on."""
    return bool(event.document and (event.document.get("error") or event.document.get("type") == "error"))


def why_broken(away: ProviderRefused, ends: float) -> tuple[str, str]:
    """The message and the code that say why a stream has no end; `ends` is when the call is cut."""
    logger().warning("a stream broke off", extra={"status": away.status})
    if time.monotonic() >= ends - MARGIN_S:
        return "The model provider did not finish in time.", "timeout"
    return f"The model provider's stream broke off: {away.message}", "stream_broken"


def _written(data: bytes) -> bytes:
    """The event that has this data."""
    return b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"


def _error(message: str, code: str) -> bytes:
    error = {"message": message, "type": "server_error", "param": None, "code": code}
    return _written(orjson.dumps({"error": error}))


def has_token(chunk: dict[str, Any]) -> bool:
    """Whether a chunk brings something that the model has said, a call of a tool, too."""
    choices = chunk.get("choices")
    deltas = (
        [choice.get("delta") for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    )
    return any(
        value
        for delta in deltas
        if isinstance(delta, dict)
        for name, value in delta.items()
        if name not in _TOKENS_BESIDE
    )
