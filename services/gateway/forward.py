"""Forward one chat completion and capture it when asked to.

In: a chat completion's request and its policy. Out: the provider's answer as it came, as events where `stream` asks for
them, and event by event where they can be given on (`live`); its refusals with their status, body and `retry-after`. A
fallback model is asked where the first one is away, before the first event; the header `x-stillhouse-fallback` names it
then. Of a cascade `x-stillhouse-cascade` says whose answer it is, and it comes whole: how sure it is, is known at its
end. A capture that fails is logged and counted, and never fails the completion.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any, NamedTuple

import orjson

from completions import confidence
from foundation import loop
from foundation.consumer import logger
from foundation.errors import ApiError
from gateway import stream
from gateway.aliased import alias_field, alias_header, aliased
from gateway.capturing import capture, count_failure
from gateway.cascading import Api, ask_any
from gateway.fallback import MARGIN_S, ask_with_fallback, fallback_header
from gateway.forwarded import Forwarded, bounded, refused, stored_at
from gateway.head import with_sound_head
from gateway.live import LiveChat
from gateway.policy import Policy
from gateway.refusals import is_sound, keep_refusal
from providers import Answer, EventStream, ProviderRefused, StreamingProvider, registry

_OURS = frozenset({"store", "metadata", "stream", "stream_options"})
_EVENTS = {"content-type": "text/event-stream"}


def forward(
    request: dict[str, Any],
    policy: Policy,
    *,
    deadline_s: float,
    live: bool = False,
    provider: StreamingProvider | None = None,
) -> Forwarded:
    """Ask the provider within the deadline; capture the answer if the policy says so."""
    _check(request)
    ends = time.monotonic() + deadline_s
    request, policy = aliased(request, policy, request["messages"])
    upstream = {name: value for name, value in request.items() if name not in _OURS}
    asked = provider or registry.providers()
    seconds = ends - time.monotonic() - MARGIN_S
    answer: Answer | EventStream
    try:
        if live and request.get("stream") and policy.cascade is None:
            ask = partial(_stream, asked, request.get("stream_options"), ends - MARGIN_S)
            model, answer = loop.run(ask_with_fallback(ask, upstream, policy.fallback_model, seconds))
            says = fallback_header(model, request["model"])
        else:
            model, answer, policy, says = loop.run(ask_any(asked.complete, upstream, policy, seconds, _CHAT))
    except ProviderRefused as refusal:
        _Call(request, policy, ends, request["model"], {}).refused(refusal)
        return refused(refusal, alias_header(policy))
    call = _Call(request, policy, ends, model, {**alias_header(policy), **says})
    return call.answered(answer) if isinstance(answer, Answer) else call.live(answer)


class _Call(NamedTuple):
    """One call that has an answer, or its beginning."""

    request: dict[str, Any]
    policy: Policy
    ends: float
    """When the call is cut, on the monotonic clock."""
    model: str
    """The model that answers."""
    headers: dict[str, str]

    def answered(self, answer: Answer) -> Forwarded:
        """A whole answer, captured where it is to be, as events where `stream` asks for them."""
        captured = self._capture(answer.body, answer.latency_ms)
        body = {**answer.body, **self._once()}
        if self.request.get("stream"):
            events = stream.events(body, include_usage=self._counted())
            forwarded = Forwarded(200, events, self.headers | _EVENTS)
        else:
            forwarded = Forwarded(200, orjson.dumps(body), self.headers)
        at = stored_at("chat/completions", answer.body.get("id")) if captured else None
        return bounded(forwarded, captured_at=at)

    def live(self, events: EventStream) -> Forwarded:
        """An answer that comes event by event, captured at its end."""
        chat = LiveChat(
            events,
            counted=self._counted(),
            once=self._once(),
            capture=self._capture,
            lost=self._lost,
            ends=self.ends,
        )
        return Forwarded(200, b"", self.headers | _EVENTS, chat.pieces())

    def refused(self, refusal: ProviderRefused) -> None:
        """Capture a call that has no answer, where a rollout has to know of it."""
        if is_sound(self.request["messages"]):
            keep_refusal(refusal, self.policy, partial(self._record, latency_ms=None), ends=self.ends)

    def _capture(self, answered: dict[str, Any], latency_ms: int, first_token_ms: int | None = None) -> bool:
        record = self._record(answered, latency_ms, first_token_ms)
        return self.policy.store and capture(lambda: record, ends=self.ends)

    def _record(
        self, answered: dict[str, Any], latency_ms: int | None, first_token_ms: int | None = None
    ) -> dict[str, Any]:
        return {
            **alias_field(self.policy),
            "request": {**self.request, "model": self.model},
            "response": with_sound_head(answered, time="created"),
            "metadata": self.policy.metadata,
            "latency_ms": latency_ms,
            "first_token_ms": first_token_ms,
        }

    def _lost(self) -> None:
        logger().warning("a stream has ended, and is no completion that can be captured")
        if self.policy.store:
            count_failure()

    def _counted(self) -> bool:
        return bool((self.request.get("stream_options") or {}).get("include_usage"))

    def _once(self) -> dict[str, Any]:
        return {"metadata": self.policy.metadata} if self.policy.metadata else {}


def _asking(request: dict[str, Any]) -> dict[str, Any]:
    return {**request, "logprobs": True}


def _without(answer: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    choices = answer.get("choices")
    if request.get("logprobs") or not isinstance(choices, list):
        return answer
    plain = [{**choice, "logprobs": None} if isinstance(choice, dict) else choice for choice in choices]
    return {**answer, "choices": plain}


_CHAT = Api(_asking, confidence.of_completion, _without, lambda answer: answer.get("usage"))


async def _stream(
    provider: StreamingProvider,
    options: dict[str, Any] | None,
    ends: float,
    request: dict[str, Any],
    *,
    deadline_s: float,
    retry_s: float | None = None,
) -> Answer | EventStream:
    asked = {**request, "stream_options": options} if options else request
    return await provider.stream(asked, deadline_s=deadline_s, ends=ends, retry_s=retry_s)


def _check(request: dict[str, Any]) -> None:
    for name, kind in (("model", str), ("messages", list)):
        if not isinstance(request.get(name), kind) or not request[name]:
            raise ApiError(f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name)
    objects = {f"messages[{number}]": message for number, message in enumerate(request["messages"])}
    for name, value in {**objects, "stream_options": request.get("stream_options") or {}}.items():
        if not isinstance(value, dict):
            raise ApiError(f"Invalid '{name}': an object is expected.", code="invalid_type", param=name)
