"""Answer one request of the Responses API and capture the response, unless `store` is false.

In: a response's request and its policy. Out: the response, as events where `stream` asks for them, and one by one where
they can be given on (`live`), or the provider's refusal as it came. A provider without the Responses API is asked for
the chat completion that says the same. Fallback, deadline and captures are as for chat completions.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any, NamedTuple

import orjson

from completions import confidence
from completions.responses.as_chat import Request, Response, call_as_chat
from foundation import loop
from gateway.aliased import alias_field, alias_header, aliased
from gateway.capturing import capture
from gateway.cascading import Api, ask_any
from gateway.fallback import MARGIN_S, ask_with_fallback, fallback_header
from gateway.forwarded import Forwarded, bounded, refused, stored_at
from gateway.head import with_sound_head
from gateway.policy import Policy
from gateway.refusals import keep_refusal
from gateway.responses import stream
from gateway.responses.answer import response_of
from gateway.responses.chain import items_before
from gateway.responses.live import LiveResponse
from gateway.responses.request import LOGPROBS, as_chat, check, upstream
from gateway.responses.spoken import SpokenResponse
from providers import Answer, EventStream, NoResponses, ProviderRefused, StreamingProvider, registry

_EVENTS = {"content-type": "text/event-stream"}


def respond(
    request: dict[str, Any],
    policy: Policy,
    *,
    deadline_s: float,
    live: bool = False,
    provider: StreamingProvider | None = None,
) -> Forwarded:
    """Ask the provider within the deadline; capture the response if the policy says so."""
    ends = time.monotonic() + deadline_s
    check(request, store=policy.store)
    before = items_before(request.get("previous_response_id"))
    request, policy = aliased(request, policy, _beginning(request, before))
    asked = provider or registry.providers()
    seconds = ends - time.monotonic() - MARGIN_S
    answer: Answer | EventStream | _Spoken
    try:
        if live and request.get("stream") and policy.cascade is None:
            ask = partial(_stream, asked, before, ends - MARGIN_S)
            model, answer = loop.run(ask_with_fallback(ask, request, policy.fallback_model, seconds))
            says = fallback_header(model, request["model"])
        else:
            whole = partial(_ask, asked, before)
            model, answer, policy, says = loop.run(ask_any(whole, request, policy, seconds, _RESPONSES))
    except ProviderRefused as refusal:
        keep_refusal(refusal, policy, partial(_failed_record, request, before, policy), ends=ends)
        return refused(refusal, alias_header(policy))
    call = _Call(request, policy, before, ends, model, {**alias_header(policy), **says})
    return call.answered(answer) if isinstance(answer, Answer) else call.live(answer)


class _Call(NamedTuple):
    """One call that has an answer, or its beginning."""

    request: dict[str, Any]
    policy: Policy
    before: list[Any]
    """The items of the responses before this one."""
    ends: float
    """When the call is cut, on the monotonic clock."""
    model: str
    """The model that answers."""
    headers: dict[str, str]

    def answered(self, answer: Answer) -> Forwarded:
        """A whole answer, captured where it is to be, as events where `stream` asks for them."""
        if not stream.is_response(answer.body):
            # An error with status 200, or a shape of tomorrow: it is the provider's word, and no response to capture.
            return bounded(_answered(self.request, answer.body, self.headers))
        response = {**answer.body, **self._ours()}
        captured = self._capture(response, answer.latency_ms)
        answered = _answered(self.request, response, self.headers)
        return bounded(answered, captured_at=stored_at("responses", response.get("id")) if captured else None)

    def live(self, events: EventStream | _Spoken) -> Forwarded:
        """An answer that comes event by event, captured before its last one."""
        ours, ends = self._ours(), self.ends
        response: LiveResponse | SpokenResponse
        if isinstance(events, _Spoken):
            response = SpokenResponse(events.events, self.request, ours=ours, capture=self._capture, ends=ends)
        else:
            response = LiveResponse(events, ours=ours, capture=self._capture, ends=ends)
        return Forwarded(200, b"", self.headers | _EVENTS, response.pieces())

    def _ours(self) -> dict[str, Any]:
        return {
            "metadata": self.policy.metadata,
            "previous_response_id": self.request.get("previous_response_id"),
            "store": self.policy.store,
        }

    def _capture(self, response: dict[str, Any], latency_ms: int, first_token_ms: int | None = None) -> bool:
        timing = {"latency_ms": latency_ms, "first_token_ms": first_token_ms}
        record = partial(_record, {**self.request, "model": self.model}, response, self.before, self.policy, timing)
        # The next request may name this response before the recorder has written it.
        return self.policy.store and capture(record, ends=self.ends, at_once=True)


def _asking(request: dict[str, Any]) -> dict[str, Any]:
    include = request.get("include")
    own = include if isinstance(include, list) else []
    return request if LOGPROBS in own else {**request, "include": [*own, LOGPROBS]}


def _without(answer: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    output = answer.get("output")
    wanted = LOGPROBS in (request.get("include") or []) or request.get("top_logprobs") is not None
    if wanted or not isinstance(output, list):
        return answer
    return {**answer, "output": [_plain_item(item) for item in output]}


def _plain_item(item: Any) -> Any:
    parts = item.get("content") if isinstance(item, dict) else None
    if not isinstance(parts, list):
        return item
    plain = [{**part, "logprobs": []} if isinstance(part, dict) and part.get("logprobs") else part for part in parts]
    return {**item, "content": plain}


def _usage(answer: dict[str, Any]) -> Any:
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return None
    return {
        "prompt_tokens": usage.get("input_tokens"),
        "prompt_tokens_details": usage.get("input_tokens_details"),
        "completion_tokens": usage.get("output_tokens"),
    }


_RESPONSES = Api(_asking, confidence.of_response, _without, _usage)


def _beginning(request: dict[str, Any], before: list[Any]) -> list[Any]:
    """The messages that a response begins with: its instructions, the items before it, and its input."""
    told, given = request.get("instructions"), request.get("input")
    instructions = [{"role": "system", "content": told}] if told else []
    own = given if isinstance(given, list) else [{"role": "user", "content": given}]
    return [*instructions, *before, *own]


async def _ask(
    provider: StreamingProvider,
    before: list[Any],
    request: dict[str, Any],
    *,
    deadline_s: float,
    retry_s: float | None = None,
) -> Answer:
    """The provider's response, or its chat completion as one."""
    ends = time.monotonic() + deadline_s
    try:
        return await provider.respond(upstream(request, before), deadline_s=deadline_s, retry_s=retry_s)
    except NoResponses as missing:
        chat = as_chat(request, before)
        answer = await provider.complete(chat, deadline_s=ends - time.monotonic(), retry_s=retry_s)
        missing.confirm()
        return _as_response(answer, request)


async def _stream(
    provider: StreamingProvider,
    before: list[Any],
    streams_until: float,
    request: dict[str, Any],
    *,
    deadline_s: float,
    retry_s: float | None = None,
) -> Answer | EventStream | _Spoken:
    """The same as a stream, which is cut at this time, where the provider has one."""
    ends = time.monotonic() + deadline_s
    options = {"stream_options": request["stream_options"]} if request.get("stream_options") else {}
    asked = upstream(request, before) | options
    try:
        return await provider.stream_response(asked, deadline_s=deadline_s, ends=streams_until, retry_s=retry_s)
    except NoResponses as missing:
        chat = as_chat(request, before)
        left_s = ends - time.monotonic()
        answer = await provider.stream(chat, deadline_s=left_s, ends=streams_until, retry_s=retry_s)
        missing.confirm()
        return _as_response(answer, request) if isinstance(answer, Answer) else _Spoken(answer)


class _Spoken(NamedTuple):
    """The events of a chat completion, which are to become those of a response."""

    events: EventStream


def _as_response(answer: Answer, request: dict[str, Any]) -> Answer:
    return answer._replace(body=response_of(answer.body, request))


def _record(
    request: dict[str, Any],
    response: dict[str, Any],
    before: list[Any],
    policy: Policy,
    timing: dict[str, int | None],
) -> dict[str, Any]:
    """The fields of the Completion that is captured."""
    call = {"request": request, "response": with_sound_head(response, time="created_at")}
    chat = call_as_chat(call, before, Request.model_validate(request), Response.model_validate(call["response"]))
    return {**chat, **alias_field(policy), "metadata": policy.metadata, **timing}


def _failed_record(
    request: dict[str, Any], before: list[Any], policy: Policy, failed: dict[str, Any]
) -> dict[str, Any]:
    """The fields of the Completion of a call that has no answer."""
    call = {"request": request, "response": {"error": failed["error"]}}
    chat = call_as_chat(call, before, Request.model_validate(request), None)
    return {**chat, "response": failed, **alias_field(policy), "metadata": policy.metadata}


def _answered(request: dict[str, Any], response: dict[str, Any], headers: dict[str, str]) -> Forwarded:
    if not request.get("stream"):
        return Forwarded(200, orjson.dumps(response), headers)
    return Forwarded(200, stream.events(response), headers | _EVENTS)
