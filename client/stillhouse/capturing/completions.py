"""`client.chat.completions` of a wrapped client.

In: the SDK's calls. Out: creating ones go to the provider and are shown to a `Call`; list, retrieve, update, delete
and messages go to Stillhouse. Every way to create (`create`, `parse`, `stream`, raw responses) leads through `_post`,
which is all that is replaced, on this one object.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from openai import AsyncOpenAI, AsyncStream, Omit, OpenAI, Stream
from openai.resources.chat.completions import AsyncCompletions, AsyncMessages, Completions, Messages
from openai.types.chat import ChatCompletionChunk

from stillhouse.capturing.call import Call
from stillhouse.capturing.captures import Captures
from stillhouse.capturing.counts import Tally
from stillhouse.capturing.delivery import Delivery
from stillhouse.capturing.endpoint import Endpoint
from stillhouse.capturing.records import to_json

MOST_PAIRS = 16
_CREATE = "/chat/completions"
_RAW = "X-Stainless-Raw-Response"


@dataclass(frozen=True)
class Policy:
    """How `capture` was called."""

    metadata: Mapping[str, str]
    sample: float
    store: bool
    forward_store: bool
    stream_usage: bool | None


class Recorder:
    """What all captured calls of a client and its copies share."""

    def __init__(self, policy: Policy, endpoint: Endpoint, delivery: Delivery, tally: Tally) -> None:
        self._policy = policy
        self._delivery = delivery
        self._tally = tally
        self.endpoint = endpoint
        self.captures = Captures(delivery, tally)

    def begin(self, host: str, request: dict[str, Any], quiet_stream: type) -> Call | None:
        """Change the request to what the provider is sent; a `Call` where it is captured."""
        options: dict[str, Any] = request.get("options") or {}
        asked = _asked(request)
        said = asked.get("store")
        wanted = self._wanted(said)
        if "store" in asked or wanted:
            ours = self._ours(host, said=said)
            request["body"] = _without(ours, request["body"])
            request["options"] = options = {**options, "extra_json": _without(ours, options.get("extra_json") or {})}
        if not wanted or not self._sampled():
            return None
        call = self._call(host, asked)
        raw = (options.get("headers") or {}).get(_RAW)
        if request.get("stream") and not raw and self._adds_usage(host, asked):
            request["body"]["stream_options"] = {**(asked.get("stream_options") or {}), "include_usage": True}
            request["stream_cls"] = quiet_stream
        return _parsed_later(call, request)

    def begin_response(self, host: str, request: dict[str, Any]) -> Call | None:
        """A `Call` where this response is captured. The request stays as it is: `store` is the provider's word too."""
        asked = _asked(request)
        ends_later = asked.get("background") and not asked.get("stream")
        if not self._wanted(asked.get("store")) or ends_later or not self._sampled():
            return None
        return _parsed_later(self._call(host, asked), request)

    def _wanted(self, said: object) -> bool:
        return self._policy.store if said is None else bool(said)

    def _sampled(self) -> bool:
        return self._policy.sample >= 1 or random.random() < self._policy.sample

    def _ours(self, host: str, *, said: object) -> frozenset[str]:
        """What is said to Stillhouse, not to the provider."""
        if self._policy.forward_store:
            return frozenset()
        # OpenAI may store by default: that it shall not is said to OpenAI.
        return frozenset({"metadata"}) if said is False and _is_openai(host) else frozenset({"store", "metadata"})

    def _adds_usage(self, host: str, asked: dict[str, Any]) -> bool:
        """A stream has no usage unless it is asked for; not every provider knows how."""
        wanted = _is_openai(host) if self._policy.stream_usage is None else self._policy.stream_usage
        return wanted and not (asked.get("stream_options") or {}).get("include_usage")

    def _call(self, host: str, asked: dict[str, Any]) -> Call | None:
        try:
            metadata = self._tagged(asked.pop("metadata", None) or {})
            asked["store"] = True
            if metadata:
                asked["metadata"] = metadata
            return Call(to_json(asked), host, self._delivery.put, self._tally)
        except Exception as error:  # noqa: BLE001 - the call itself must go on, whatever it holds
            self._tally.add("captured")
            self._tally.add("dropped")
            self._tally.warn_once("failed", "a completion could not be captured: %s", type(error).__name__)
            return None

    def _tagged(self, own: Mapping[str, object]) -> dict[str, str]:
        """The call's own tags, then as many of the default ones as OpenAI's limit leaves room for."""
        texts = {name: value if isinstance(value, str) else str(value) for name, value in own.items()}
        return dict(islice({**texts, **_without(frozenset(texts), self._policy.metadata)}.items(), MOST_PAIRS))


class CapturedCompletions(Completions):
    """The SDK's completions, with the provider's `_post` behind the recorder and everything else at Stillhouse."""

    def __init__(self, client: OpenAI, recorder: Recorder) -> None:
        super().__init__(client)
        provider = client.post

        def post(path: str, **request: Any) -> Any:
            if path != _CREATE:
                return recorder.endpoint.stored.post(path, **request)
            call = recorder.begin(client.base_url.host, request, _QuietStream)
            answer = provider(path, **request)
            if call is not None:
                call.answered(answer)
            return answer

        vars(self).update(
            _post=post,
            _get=_at(recorder, "stored", "get"),
            _delete=_at(recorder, "stored", "delete"),
            _get_api_list=_at(recorder, "stored", "get_api_list"),
            _recorder=recorder,
        )

    @cached_property
    def messages(self) -> Messages:
        return Messages(vars(self)["_recorder"].endpoint.stored)


class AsyncCapturedCompletions(AsyncCompletions):
    """The same for `AsyncOpenAI`."""

    def __init__(self, client: AsyncOpenAI, recorder: Recorder) -> None:
        super().__init__(client)
        provider = client.post

        async def post(path: str, **request: Any) -> Any:
            if path != _CREATE:
                return await recorder.endpoint.async_stored.post(path, **request)
            call = recorder.begin(client.base_url.host, request, _AsyncQuietStream)
            answer = await provider(path, **request)
            if call is not None:
                call.answered(answer)
            return answer

        vars(self).update(
            _post=post,
            _get=_at(recorder, "async_stored", "get"),
            _delete=_at(recorder, "async_stored", "delete"),
            _get_api_list=_at(recorder, "async_stored", "get_api_list"),
            _recorder=recorder,
        )

    @cached_property
    def messages(self) -> AsyncMessages:
        return AsyncMessages(vars(self)["_recorder"].endpoint.async_stored)


class _QuietStream(Stream[ChatCompletionChunk]):
    """Keeps back the chunk with the usage, which the application did not ask for: it has no choice to index."""

    def __stream__(self) -> Iterator[ChatCompletionChunk]:
        for chunk in super().__stream__():
            if chunk.choices or chunk.usage is None:
                yield chunk


class _AsyncQuietStream(AsyncStream[ChatCompletionChunk]):
    async def __stream__(self) -> AsyncIterator[ChatCompletionChunk]:
        async with aclosing(super().__stream__()) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                if chunk.choices or chunk.usage is None:
                    yield chunk


def _asked(request: dict[str, Any]) -> dict[str, Any]:
    """The body with what `extra_body` adds to it."""
    extra = (request.get("options") or {}).get("extra_json") or {}
    return {**request["body"], **{name: value for name, value in extra.items() if not isinstance(value, Omit)}}


def _parsed_later(call: Call | None, request: dict[str, Any]) -> Call | None:
    options = request.get("options") or {}
    if call is not None and "post_parser" in options:
        request["options"] = {**options, "post_parser": call.parsed_by(options["post_parser"])}
    return call


def _at(recorder: Recorder, client: str, method: str) -> Callable[..., Any]:
    """A method of a client at Stillhouse, which is made when it is first called."""

    def call(*args: Any, **request: Any) -> Any:
        return getattr(getattr(recorder.endpoint, client), method)(*args, **request)

    return call


def _without(names: frozenset[str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _is_openai(host: str) -> bool:
    return host == "openai.com" or host.endswith(".openai.com")
