"""Client of any server with OpenAI's API for chat completions, and for responses and embeddings if it has them.

It uses aiohttp, which takes a seventh of the openai SDK's CPU per call. If it has a pace, each attempt waits for its
turn. A stream is begun with the same patience, and read without. A refused key is read once more: it may just have been
rotated.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson

from foundation import foreign_json
from foundation.foreign_json import NotJSON
from providers.away import as_away
from providers.batch_api import BatchAPI
from providers.entry import Entry
from providers.key import Key, KeyUnusable
from providers.pace import Pace
from providers.patience import ask_patiently, patiently, wanted_pause
from providers.provider import Answer, EventStream, NoResponses, Passed, ProviderAway, ProviderRefused
from providers.streamed import HttpEvents

_AWAY = frozenset({408, 409, 429})
_FIRST_SERVER_ERROR = 500
_UNAUTHORIZED = 401
_NOT_FOUND = 404
_NO_ROUTE = frozenset({404, 405, 501})
_NO_MODEL = "model_not_found"
_OK = 200
_BAD_GATEWAY = 502
_FIRST_ERROR, _LAST_ERROR = 400, 600
_INVALID = frozenset({400, 422})
_STREAM_OPTIONS = b"stream_options"
_JSON = "application/json"
_IDLE_S = 0.05
_TURNS_TO_NOTICE = 5
_PASSED_ON = ("retry-after", "retry-after-ms", "x-request-id", "x-should-retry", "content-type")


def make_provider(entry: Entry, *, key: Key, pace: Pace | None) -> OpenAICompatible:
    """The provider at the base URL of an entry."""
    return OpenAICompatible(base_url=entry.base_url or "", key=key, pace=pace, responses=entry.responses)


class OpenAICompatible:
    """One provider at one base URL. `responses` is whether it has the Responses API, None until its answers tell."""

    def __init__(self, *, base_url: str, key: Key, pace: Pace | None = None, responses: bool | None = None) -> None:
        self._responses = responses
        self._pace = pace
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._session: aiohttp.ClientSession | None = None
        self._used = 0.0
        self._counts_streams = True

    async def complete(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        return await self._answer("/chat/completions", request, deadline_s, retry_s)

    async def respond(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        return await self._response(self._answer("/responses", request, deadline_s, retry_s))

    async def _response[Got](self, asking: Coroutine[Any, Any, Got]) -> Got:
        """What is answered at the Responses API; that there is one is noted. Raises NoResponses where there is none."""
        if self._responses is False:
            asking.close()
            raise NoResponses(ProviderRefused(_NOT_FOUND, b"", {}), self._has_no_responses)
        try:
            answer = await asking
        except ProviderRefused as refusal:
            if self._responses is None and refusal.status in _NO_ROUTE and refusal.code != _NO_MODEL:
                raise NoResponses(refusal, self._has_no_responses) from refusal
            raise
        self._responses = True
        return answer

    def _has_no_responses(self) -> None:
        self._responses = False

    async def stream(
        self, request: dict[str, Any], *, deadline_s: float, ends: float, retry_s: float | None = None
    ) -> EventStream | Answer:
        wished = request.get("stream_options") or {}
        if self._counts_streams:
            try:
                options = {**wished, "include_usage": True}
                counted = {**request, "stream_options": options}
                return await self._begun("/chat/completions", counted, deadline_s, retry_s, ends)
            except ProviderRefused as refusal:
                if wished or refusal.status not in _INVALID or _STREAM_OPTIONS not in refusal.body:
                    raise
            # Some servers know no such field. The tokens of their streams stay unknown.
            self._counts_streams = False
        return await self._begun("/chat/completions", request, deadline_s, retry_s, ends)

    async def stream_response(
        self, request: dict[str, Any], *, deadline_s: float, ends: float, retry_s: float | None = None
    ) -> EventStream | Answer:
        return await self._response(self._begun("/responses", request, deadline_s, retry_s, ends))

    async def _begun(
        self, path: str, request: dict[str, Any], deadline_s: float, retry_s: float | None, ends: float
    ) -> EventStream | Answer:
        """The first event of a stream within `deadline_s`; the others come until `ends`, on the monotonic clock."""
        body = orjson.dumps({**request, "stream": True})

        async def attempt(seconds: float) -> EventStream | Answer:
            asked = time.monotonic()

            async def begin(answer: aiohttp.ClientResponse) -> EventStream | Answer:
                if answer.content_type == _JSON:
                    whole = _object_in(await answer.read())
                    return Answer(whole, round((time.monotonic() - asked) * 1000))
                stream = await HttpEvents(answer, asked).begin()
                if unnamed := stream.whole():
                    return Answer(_object_in(unnamed), stream.took_ms())
                return _sound(stream, answer.headers)

            with as_away():
                async with asyncio.timeout(seconds):
                    return await self._send("POST", path, body, _JSON, timeout_s=max(seconds, ends - asked), take=begin)

        return await patiently(attempt, self._pace, deadline_s=deadline_s, retry_s=retry_s)

    async def embed(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        return await self._answer("/embeddings", request, deadline_s, retry_s)

    async def _answer(self, path: str, request: dict[str, Any], deadline_s: float, retry_s: float | None) -> Answer:
        body = orjson.dumps(request)

        async def attempt(seconds: float) -> dict[str, Any]:
            return await self._ask("POST", path, body, timeout_s=seconds)

        return await ask_patiently(attempt, self._pace, deadline_s=deadline_s, retry_s=retry_s)

    def batch_api(self, *, timeout_s: float) -> BatchAPI | None:
        return BatchAPI(base_url=self._base_url, api_key=self._key.text(), timeout_s=timeout_s)

    async def find_model(self, name: str) -> dict[str, Any] | None:
        try:
            model = await self._ask("GET", f"/models/{quote(name, safe=':')}", None, timeout_s=10)
        except ProviderRefused as refusal:
            if refusal.status == _NOT_FOUND:
                return None
            raise
        return model

    async def list_models(self) -> list[dict[str, Any]]:
        listed = (await self._ask("GET", "/models", None, timeout_s=10)).get("data")
        models = listed if isinstance(listed, list) else []
        return [model for model in models if isinstance(model, dict) and isinstance(model.get("id"), str)]

    async def pass_on(self, path: str, body: bytes, content_type: str, *, deadline_s: float) -> Passed:
        return await self._send("POST", path, body, content_type, timeout_s=max(0.1, deadline_s), take=_whole)

    async def _ask(self, method: str, path: str, body: bytes | None, *, timeout_s: float) -> dict[str, Any]:
        return _object_in((await self._send(method, path, body, _JSON, timeout_s=timeout_s, take=_whole)).body)

    async def _send[Got](
        self,
        method: str,
        path: str,
        body: bytes | None,
        content_type: str,
        *,
        timeout_s: float,
        take: Callable[[aiohttp.ClientResponse], Awaitable[Got]],
    ) -> Got:
        """What `take` makes of the answer, if it is no refusal."""
        try:
            key = self._key.text()
        except KeyUnusable as error:
            message = {"error": {"message": str(error), "code": "key_unusable"}}
            raise ProviderAway(_BAD_GATEWAY, orjson.dumps(message), {}, final=True) from error
        try:
            return await self._sent(method, path, body, content_type, key, timeout_s=timeout_s, take=take)
        except ProviderRefused as refusal:
            if refusal.status != _UNAUTHORIZED or not self._key.is_other_than(key):
                raise
        return await self._sent(method, path, body, content_type, self._key.text(), timeout_s=timeout_s, take=take)

    async def _sent[Got](
        self,
        method: str,
        path: str,
        body: bytes | None,
        content_type: str,
        key: str,
        *,
        timeout_s: float,
        take: Callable[[aiohttp.ClientResponse], Awaitable[Got]],
    ) -> Got:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        elif time.monotonic() - self._used > _IDLE_S:
            await _notice_what_was_closed()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            with as_away():
                answer = await self._session.request(
                    method,
                    f"{self._base_url}{path}",
                    data=body,
                    headers={**headers, "Content-Type": content_type},
                    timeout=aiohttp.ClientTimeout(total=timeout_s),
                )
                try:
                    return await _taken(answer, take)
                except BaseException:
                    # A connection that has been read to its end is kept all the same.
                    answer.close()
                    raise
        finally:
            self._used = time.monotonic()

    async def close(self) -> None:
        if self._session:
            await self._session.close()


async def _notice_what_was_closed() -> None:
    """Let the event loop see which of the kept connections the other side has closed.

    Between two calls the loop stands still, and so does a function that waits for its next event: a request would go
    into a connection that is closed by then, and a POST is not sent twice by itself.
    """
    for _ in range(_TURNS_TO_NOTICE):
        await asyncio.sleep(0)


async def _taken[Got](answer: aiohttp.ClientResponse, take: Callable[[aiohttp.ClientResponse], Awaitable[Got]]) -> Got:
    if answer.status == _OK:
        return await take(answer)
    raise _refusal(answer.status, await answer.read(), answer.headers)


async def _whole(answer: aiohttp.ClientResponse) -> Passed:
    return Passed(answer.status, await answer.read(), _passed_on(answer.headers))


def _sound(stream: HttpEvents, headers: Any) -> HttpEvents:
    """A stream that begins with no error. One that does is that refusal, as it would have come with its status."""
    if stream.first is None:
        raise _unreadable("The model provider's stream has no event.", {}, final=False)
    match stream.first.document:
        case {"error": told} | {"type": "error", **told} if told:
            code = told.get("code") if isinstance(told, dict) else None
            status = code if isinstance(code, int) and _FIRST_ERROR <= code < _LAST_ERROR else _BAD_GATEWAY
            refusal = _refusal(status, orjson.dumps({"error": told}), headers)
            # The media type is that of events.
            refusal.headers.pop("content-type", None)
            raise refusal
    return stream


def _passed_on(headers: Any) -> dict[str, str]:
    # What is no ASCII would fail the answer that it is passed on with.
    return {name: headers[name] for name in _PASSED_ON if name in headers and headers[name].isascii()}


def _object_in(text: bytes) -> dict[str, Any]:
    """The JSON object in an answer. Raises ProviderAway if it holds none.

    A page of markup is the word of something on the way, and the provider is asked again. JSON that cannot be read is
    the provider's own: it may have been paid for what it said, and would say it again.
    """
    with suppress(NotJSON):
        document = foreign_json.read(text)
        if isinstance(document, dict):
            return document
    final = text.lstrip()[:1] in (b"{", b"[")
    headers = {"x-should-retry": "false"} if final else {}
    raise _unreadable("The model provider's answer is no JSON object.", headers, final=final)


def _unreadable(message: str, headers: dict[str, str], *, final: bool) -> ProviderAway:
    body = orjson.dumps({"error": {"message": message, "code": "unreadable_answer"}})
    return ProviderAway(_BAD_GATEWAY, body, headers, final=final)


def _refusal(status: int, body: bytes, headers: Any) -> ProviderRefused:
    passed_on = _passed_on(headers)
    if status not in _AWAY and status < _FIRST_SERVER_ERROR:
        return ProviderRefused(status, body, passed_on)
    final = headers.get("x-should-retry", "").lower() == "false"
    return ProviderAway(status, body, passed_on, wanted_pause(headers), final=final)
