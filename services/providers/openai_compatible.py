"""Client of any server with OpenAI's API for chat completions, and for responses and embeddings if it has them.

It uses aiohttp, which takes a seventh of the openai SDK's CPU per call. If it has a pace, each attempt waits for its
turn. A refused key is read once more: it may just have been rotated.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson

from foundation import foreign_json
from foundation.foreign_json import NotJSON
from providers.batch_api import BatchAPI
from providers.entry import Entry
from providers.key import Key, KeyUnusable
from providers.pace import Pace
from providers.patience import ask_patiently, wanted_pause
from providers.provider import Answer, NoResponses, Passed, ProviderAway, ProviderRefused

_AWAY = frozenset({408, 409, 429})
_FIRST_SERVER_ERROR = 500
_UNAUTHORIZED = 401
_NOT_FOUND = 404
_NO_ROUTE = frozenset({404, 405, 501})
_NO_MODEL = "model_not_found"
_OK = 200
_BAD_GATEWAY = 502
_GATEWAY_TIMEOUT = 504
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

    async def complete(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        return await self._answer("/chat/completions", request, deadline_s, retry_s)

    async def respond(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        if self._responses is False:
            raise NoResponses(ProviderRefused(_NOT_FOUND, b"", {}), self._has_no_responses)
        try:
            answer = await self._answer("/responses", request, deadline_s, retry_s)
        except ProviderRefused as refusal:
            if self._responses is None and refusal.status in _NO_ROUTE and refusal.code != _NO_MODEL:
                raise NoResponses(refusal, self._has_no_responses) from refusal
            raise
        self._responses = True
        return answer

    def _has_no_responses(self) -> None:
        self._responses = False

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
        return await self._send("POST", path, body, content_type, timeout_s=max(0.1, deadline_s))

    async def _ask(self, method: str, path: str, body: bytes | None, *, timeout_s: float) -> dict[str, Any]:
        return _object_in((await self._send(method, path, body, "application/json", timeout_s=timeout_s)).body)

    async def _send(self, method: str, path: str, body: bytes | None, content_type: str, *, timeout_s: float) -> Passed:
        try:
            key = self._key.text()
        except KeyUnusable as error:
            message = {"error": {"message": str(error), "code": "key_unusable"}}
            raise ProviderAway(_BAD_GATEWAY, orjson.dumps(message), {}, final=True) from error
        try:
            return await self._sent(method, path, body, content_type, key, timeout_s=timeout_s)
        except ProviderRefused as refusal:
            if refusal.status != _UNAUTHORIZED or not self._key.is_other_than(key):
                raise
        return await self._sent(method, path, body, content_type, self._key.text(), timeout_s=timeout_s)

    async def _sent(
        self, method: str, path: str, body: bytes | None, content_type: str, key: str, *, timeout_s: float
    ) -> Passed:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        elif time.monotonic() - self._used > _IDLE_S:
            await _notice_what_was_closed()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            async with self._session.request(
                method,
                f"{self._base_url}{path}",
                data=body,
                headers={**headers, "Content-Type": content_type},
                timeout=aiohttp.ClientTimeout(total=timeout_s),
            ) as answer:
                text = await answer.read()
                if answer.status == _OK:
                    return Passed(answer.status, text, _passed_on(answer.headers))
                raise _refusal(answer.status, text, answer.headers)
        except (TimeoutError, aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            message = {"error": {"message": f"The model provider did not answer: {type(error).__name__}."}}
            raise ProviderAway(_GATEWAY_TIMEOUT, orjson.dumps(message), {}) from error
        except (aiohttp.ClientError, ValueError) as error:
            # An address or a key that no request can have, or an answer that is no HTTP.
            message = {"error": {"message": f"The model provider could not be asked: {type(error).__name__}."}}
            final = isinstance(error, ValueError)
            raise ProviderAway(_BAD_GATEWAY, orjson.dumps(message), {}, final=final) from error
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


def _passed_on(headers: Any) -> dict[str, str]:
    return {name: headers[name] for name in _PASSED_ON if name in headers}


def _object_in(text: bytes) -> dict[str, Any]:
    """The JSON object in an answer. Raises ProviderAway if it holds none.

    A page of markup is the word of something on the way, and the provider is asked again. JSON that cannot be read is
    the provider's own: it may have been paid for what it said, and would say it again.
    """
    with suppress(NotJSON):
        document = foreign_json.read(text)
        if isinstance(document, dict):
            return document
    message = {"error": {"message": "The model provider's answer is no JSON object.", "code": "unreadable_answer"}}
    final = text.lstrip()[:1] in (b"{", b"[")
    headers = {"x-should-retry": "false"} if final else {}
    raise ProviderAway(_BAD_GATEWAY, orjson.dumps(message), headers, final=final)


def _refusal(status: int, body: bytes, headers: Any) -> ProviderRefused:
    passed_on = _passed_on(headers)
    if status not in _AWAY and status < _FIRST_SERVER_ERROR:
        return ProviderRefused(status, body, passed_on)
    final = headers.get("x-should-retry", "").lower() == "false"
    return ProviderAway(status, body, passed_on, wanted_pause(headers), final=final)
