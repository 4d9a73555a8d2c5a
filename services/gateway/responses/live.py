"""A response that is given on event by event, and captured when it has ended.

In: the events of a provider that has the Responses API, of which the first has come. Out: the body of the event stream
in pieces. Where an event holds the response, it holds what the caller asked us to keep of it, too, as the whole answer
does. The capture comes before the last event, so that the next request may name the response at once. A stream that
breaks off ends with an event of the type `error`, and nothing is captured of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from foundation import loop
from gateway.live import Capture, is_error, why_broken
from gateway.responses import stream
from providers import Event, EventStream, ProviderAway

_ENDS = frozenset({f"response.{status}" for status in stream.ENDS})


class LiveResponse:
    """The answer to one request of the Responses API. `ends` is when the call is cut, on the monotonic clock.

    `ours` are the fields of the response that it has from us.
    """

    def __init__(self, events: EventStream, *, ours: dict[str, Any], capture: Capture, ends: float) -> None:
        self._stream = events
        self._ours = ours
        self._capture = capture
        self._ends = ends
        self._first_token_ms: int | None = None
        self._number = -1
        self._ended = False

    def pieces(self) -> Iterator[bytes]:
        """The body of the event stream."""
        try:
            while event := loop.run(self._stream.next()):
                yield self._shown(event)
                if is_error(event):
                    return
                if self._ended:
                    loop.run(self._stream.end())
                    return
            yield self._error("The model provider's stream broke off.", "stream_broken")
        except ProviderAway as away:
            yield self._error(*why_broken(away, self._ends))
        finally:
            self._stream.close()

    def _shown(self, event: Event) -> bytes:
        """An event as the caller gets it. The last one is given on when the response is captured."""
        document = event.document
        if document is None:
            return stream.written("", event.data)
        kind = str(document.get("type") or "")
        number = document.get("sequence_number")
        self._number = number if isinstance(number, int) else self._number + 1
        if self._first_token_ms is None and kind.endswith(".delta"):
            self._first_token_ms = self._stream.took_ms()
        response = document.get("response")
        if not isinstance(response, dict):
            return stream.written(kind, event.data)
        response = {**response, **self._ours}
        if kind in _ENDS:
            self._ended = True
            if stream.is_response(response):
                self._capture(response, self._stream.took_ms(), self._first_token_ms)
        return stream.written(kind, orjson.dumps({**document, "response": response}))

    def _error(self, message: str, code: str) -> bytes:
        told = {"type": "error", "code": code, "message": message, "param": None, "sequence_number": self._number + 1}
        return stream.written("error", orjson.dumps(told))
