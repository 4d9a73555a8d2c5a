"""Forward one chat completion and capture it when asked to.

In: a chat completion's request and its policy. Out: the provider's answer as it came, as events where `stream` asks for
them; its refusals with their status, body and `retry-after`. A fallback model is asked where the first one is away, and
the header `x-stillhouse-fallback` names it then; of a cascade, `x-stillhouse-cascade` says whose answer it is. A
capture that fails is logged and counted, and never fails the completion.
"""

from __future__ import annotations

import time
from typing import Any

import orjson

from completions import confidence
from foundation import loop
from foundation.errors import ApiError
from gateway import stream
from gateway.aliased import alias_field, alias_header, aliased
from gateway.capturing import capture
from gateway.cascading import Api, ask_any
from gateway.fallback import MARGIN_S
from gateway.forwarded import Forwarded, bounded, refused, stored_at
from gateway.head import with_sound_head
from gateway.policy import Policy
from providers import Provider, ProviderRefused, registry

_OURS = frozenset({"store", "metadata", "stream", "stream_options"})


def forward(
    request: dict[str, Any], policy: Policy, *, deadline_s: float, provider: Provider | None = None
) -> Forwarded:
    """Ask the provider within the deadline; capture the answer if the policy says so."""
    _check(request)
    ends = time.monotonic() + deadline_s
    request, policy = aliased(request, policy, request["messages"])
    upstream = {name: value for name, value in request.items() if name not in _OURS}
    ask = (provider or registry.providers()).complete
    try:
        seconds = ends - time.monotonic() - MARGIN_S
        model, answer, policy, says = loop.run(ask_any(ask, upstream, policy, seconds, _CHAT))
    except ProviderRefused as refusal:
        return refused(refusal, alias_header(policy))
    record = {
        **alias_field(policy),
        "request": {**request, "model": model},
        "response": with_sound_head(answer.body, time="created"),
        "metadata": policy.metadata,
        "latency_ms": answer.latency_ms,
    }
    captured = policy.store and capture(lambda: record, ends=ends)
    body = {**answer.body, "metadata": policy.metadata} if policy.metadata else answer.body
    answered = _answered(request, body, {**alias_header(policy), **says})
    return bounded(answered, captured_at=stored_at("chat/completions", answer.body.get("id")) if captured else None)


def _asking(request: dict[str, Any]) -> dict[str, Any]:
    return {**request, "logprobs": True}


def _without(answer: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    choices = answer.get("choices")
    if request.get("logprobs") or not isinstance(choices, list):
        return answer
    plain = [{**choice, "logprobs": None} if isinstance(choice, dict) else choice for choice in choices]
    return {**answer, "choices": plain}


_CHAT = Api(_asking, confidence.of_completion, _without, lambda answer: answer.get("usage"))


def _answered(request: dict[str, Any], body: dict[str, Any], headers: dict[str, str]) -> Forwarded:
    if not request.get("stream"):
        return Forwarded(200, orjson.dumps(body), headers)
    include_usage = bool((request.get("stream_options") or {}).get("include_usage"))
    events = stream.events(body, include_usage=include_usage)
    return Forwarded(200, events, {**headers, "content-type": "text/event-stream"})


def _check(request: dict[str, Any]) -> None:
    for name, kind in (("model", str), ("messages", list)):
        if not isinstance(request.get(name), kind) or not request[name]:
            raise ApiError(f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name)
    objects = {f"messages[{number}]": message for number, message in enumerate(request["messages"])}
    for name, value in {**objects, "stream_options": request.get("stream_options") or {}}.items():
        if not isinstance(value, dict):
            raise ApiError(f"Invalid '{name}': an object is expected.", code="invalid_type", param=name)
