"""Decide which calls of a captured client are captured, and what the provider is sent of them.

In: the arguments with which the SDK posts a request. Out: a `Call` if it is captured; the request is changed in place
to what the provider gets.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from typing import Any

from openai import AsyncOpenAI, AsyncStream, Omit, OpenAI, Stream
from openai.types.chat import ChatCompletionChunk

from stillhouse.capturing.call import Call
from stillhouse.capturing.captures import Captures
from stillhouse.capturing.choosing import Caller
from stillhouse.capturing.counts import Tally
from stillhouse.capturing.delivery import Delivery
from stillhouse.capturing.endpoint import Endpoint
from stillhouse.capturing.records import to_json
from stillhouse.capturing.ways import Ways, caller_of

MOST_PAIRS = 16
_RAW = "X-Stainless-Raw-Response"


@dataclass(frozen=True)
class Policy:
    """The options with which `capture` was called."""

    metadata: Mapping[str, str]
    sample: float
    store: bool
    forward_store: bool
    stream_usage: bool | None


class Recorder:
    """Begins the captured calls of a client and of its copies."""

    def __init__(self, policy: Policy, endpoint: Endpoint, delivery: Delivery, tally: Tally, ways: Ways) -> None:
        self.ways = ways
        self._policy = policy
        self._delivery = delivery
        self._tally = tally
        self.endpoint = endpoint
        self.captures = Captures(delivery, tally)

    def begin(
        self, host: str, request: dict[str, Any], quiet_stream: type, alias: dict[str, Any] | None = None
    ) -> Call | None:
        """Begin a chat completion: a `Call` if it is captured, else None. Changes `request` to what the provider gets.

        A stream whose usage the application did not ask for is read as `quiet_stream`. `alias` is what the call was
        made by.
        """
        options: dict[str, Any] = request.get("options") or {}
        parameters = _parameters(request)
        store = parameters.get("store")
        wanted = self._is_wanted(store)
        if "store" in parameters or wanted:
            ours = self._for_stillhouse(host, store=store)
            request["body"] = _without(ours, request["body"])
            request["options"] = options = {**options, "extra_json": _without(ours, options.get("extra_json") or {})}
        if not wanted or not self._is_sampled():
            return None
        call = self._call(host, parameters, alias)
        raw = (options.get("headers") or {}).get(_RAW)
        if request.get("stream") and not raw and self._adds_usage(host, parameters):
            request["body"]["stream_options"] = {**(parameters.get("stream_options") or {}), "include_usage": True}
            request["stream_cls"] = quiet_stream
        return _seen_before_parsing(call, request)

    def begin_response(self, host: str, request: dict[str, Any], alias: dict[str, Any] | None = None) -> Call | None:
        """Begin a response: a `Call` if it is captured, else None.

        `request` is not changed, because `store` and `metadata` are meant for the provider too. A response in the
        background is not captured: it ends after its call.
        """
        parameters = _parameters(request)
        ends_later = parameters.get("background") and not parameters.get("stream")
        if not self._is_wanted(parameters.get("store")) or ends_later or not self._is_sampled():
            return None
        return _seen_before_parsing(self._call(host, parameters, alias), request)

    def caller(self, request: dict[str, Any], client: OpenAI | AsyncOpenAI) -> Caller:
        """What an alias chooses by: the call, with the tags that it would be captured with."""
        own = _parameters(request).get("metadata")
        return caller_of(request, client, self.tagged(own if isinstance(own, Mapping) else {}))

    def _is_wanted(self, store: object) -> bool:
        return self._policy.store if store is None else bool(store)

    def _is_sampled(self) -> bool:
        return self._policy.sample >= 1 or random.random() < self._policy.sample

    def _for_stillhouse(self, host: str, *, store: object) -> frozenset[str]:
        """The parameters that are meant for Stillhouse and are not sent to the provider."""
        if self._policy.forward_store:
            return frozenset()
        # OpenAI may store by default, so it must hear a `store=False`.
        return frozenset({"metadata"}) if store is False and _is_openai(host) else frozenset({"store", "metadata"})

    def _adds_usage(self, host: str, parameters: dict[str, Any]) -> bool:
        """Whether to ask for a stream's usage. It comes only if asked for, and not every provider knows the option."""
        wanted = _is_openai(host) if self._policy.stream_usage is None else self._policy.stream_usage
        return wanted and not (parameters.get("stream_options") or {}).get("include_usage")

    def _call(self, host: str, parameters: dict[str, Any], alias: dict[str, Any] | None) -> Call | None:
        try:
            metadata = self.tagged(parameters.pop("metadata", None) or {})
            parameters["store"] = True
            if metadata:
                parameters["metadata"] = metadata
            return Call(to_json(parameters), host, self._delivery.put, self._tally, to_json(alias) if alias else None)
        except Exception as error:  # noqa: BLE001 - whatever fails here, the call itself must go on
            self._tally.add("captured")
            self._tally.add("dropped")
            self._tally.warn_once("failed", "a completion could not be captured: %s", type(error).__name__)
            return None

    def tagged(self, own: Mapping[str, object]) -> dict[str, str]:
        """The call's own tags as text, and as many of the default ones as OpenAI's limit of 16 leaves room for."""
        texts = {name: value if isinstance(value, str) else str(value) for name, value in own.items()}
        return dict(islice({**texts, **_without(frozenset(texts), self._policy.metadata)}.items(), MOST_PAIRS))


class QuietStream(Stream[ChatCompletionChunk]):
    """A stream without the chunk that has the usage.

    The application did not ask for that chunk. It has no choices, and code that reads `chunk.choices[0]` would fail.
    """

    def __stream__(self) -> Iterator[ChatCompletionChunk]:
        for chunk in super().__stream__():
            if chunk.choices or chunk.usage is None:
                yield chunk


class AsyncQuietStream(AsyncStream[ChatCompletionChunk]):
    """The same for async clients."""

    async def __stream__(self) -> AsyncIterator[ChatCompletionChunk]:
        async with aclosing(super().__stream__()) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                if chunk.choices or chunk.usage is None:
                    yield chunk


def _parameters(request: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a call: its body with what `extra_body` adds to it."""
    extra = (request.get("options") or {}).get("extra_json") or {}
    return {**request["body"], **{name: value for name, value in extra.items() if not isinstance(value, Omit)}}


def _seen_before_parsing(call: Call | None, request: dict[str, Any]) -> Call | None:
    """The call; where the SDK will parse the answer, as `.parse()` does, the call sees it before that may raise."""
    options = request.get("options") or {}
    if call is not None and "post_parser" in options:
        request["options"] = {**options, "post_parser": call.parsed_by(options["post_parser"])}
    return call


def _without(names: frozenset[str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _is_openai(host: str) -> bool:
    return host == "openai.com" or host.endswith(".openai.com")
