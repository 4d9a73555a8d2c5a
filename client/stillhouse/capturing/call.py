"""One captured call, from its request to the end of its answer.

In: the request as JSON, and what the SDK returned. Out: one `Seen` for the queue; for a stream, when it is closed.
Nothing here raises into the application.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from typing import Any

from openai import AsyncStream, BaseModel, Stream

from stillhouse.capturing.counts import Tally, log
from stillhouse.capturing.records import Seen, to_json


class Call:
    """One captured call. It ends once: with its answer, or with its stream."""

    def __init__(
        self, request: bytes, provider: str, put: Callable[[Seen], None], tally: Tally, alias: bytes | None = None
    ) -> None:
        self._alias = alias
        self._request = request
        self._provider = provider
        self._put = put
        self._tally = tally
        self._started = self._last = time.perf_counter()
        self._chunks: list[bytes] = []
        self._ended = self._inside = False

    def answered(self, answer: Any) -> None:
        """Take what the SDK returned: a completion or response, a stream, or a raw response of either."""
        try:
            if isinstance(answer, BaseModel):
                self._last = time.perf_counter()
                self._end(lambda: to_json(answer.to_dict(mode="python", warnings=False)))
            elif isinstance(answer, Stream | AsyncStream):
                self._watch(answer.response)
            elif (response := getattr(answer, "http_response", None)) is not None:
                if response.is_closed:
                    self._received(response.content)
                    self._end(lambda: self._chunks)
                else:
                    self._watch(response)
        except Exception as error:  # noqa: BLE001 - the application has its answer, whatever fails here
            self._failed(error)

    def asked_by(self, alias: dict[str, Any], began: float | None = None) -> None:
        """Be captured as made by this alias. `began` is when the application's call did, where that was before."""
        try:
            self._alias = to_json(alias)
        except Exception as error:  # noqa: BLE001 - the application's call goes on, whatever fails here
            self._failed(error)
        self._started = began if began is not None else self._started

    def parsed_by(self, parser: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Wrap the parser of `.parse()`: the completion is captured before it is parsed, which may raise."""

        def parse(answer: Any) -> Any:
            self.answered(answer)
            return parser(answer)

        return parse

    def _watch(self, response: Any) -> None:
        """Keep the bytes that the application reads. Every way to read a response ends in one of these methods."""
        response.iter_bytes, response.close = self._watched(response.iter_bytes, response.close)
        response.aiter_bytes, response.aclose = self._awatched(response.aiter_bytes, response.aclose)

    def _watched(self, iterate: Any, close: Any) -> tuple[Any, Any]:
        def iter_bytes(chunk_size: int | None = None) -> Iterator[bytes]:
            with closing(iterate(chunk_size)) as chunks:
                while True:
                    self._inside = True
                    try:
                        chunk = next(chunks, None)
                    finally:
                        self._inside = False
                    if chunk is None:
                        break
                    self._received(chunk)
                    yield chunk
            self._end_of_stream()

        def close_and_end() -> None:
            close()
            self._closed()

        return iter_bytes, close_and_end

    def _awatched(self, iterate: Any, close: Any) -> tuple[Any, Any]:
        async def aiter_bytes(chunk_size: int | None = None) -> AsyncIterator[bytes]:
            async with aclosing(iterate(chunk_size)) as chunks:
                while True:
                    self._inside = True
                    try:
                        chunk = await anext(chunks, None)
                    finally:
                        self._inside = False
                    if chunk is None:
                        break
                    self._received(chunk)
                    yield chunk
            self._end_of_stream()

        async def close_and_end() -> None:
            await close()
            self._closed()

        return aiter_bytes, close_and_end

    def _received(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._last = time.perf_counter()

    def _closed(self) -> None:
        # The response closes itself before its last bytes are decoded: that is not yet the end.
        if not self._inside:
            self._end_of_stream()

    def _end_of_stream(self) -> None:
        try:
            self._end(lambda: self._chunks)
        except Exception as error:  # noqa: BLE001 - the application has its answer, whatever fails here
            self._failed(error)

    def _end(self, response: Callable[[], bytes | list[bytes]]) -> None:
        if not self._ended:
            self._ended = True
            self._tally.add("captured")
            latency_ms = round((self._last - self._started) * 1000)
            self._put(Seen(self._request, response(), latency_ms, self._provider, self._alias))

    def _failed(self, error: Exception) -> None:
        if not self._ended:
            self._ended = True
            self._tally.add("captured")
        self._tally.add("dropped")
        self._tally.warn_once("failed", "a completion could not be captured: %s", type(error).__name__)
        log.debug("a completion could not be captured", exc_info=error)
