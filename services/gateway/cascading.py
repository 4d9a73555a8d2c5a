"""Ask a model, or a cascade: the alias's target, and a dearer model for what the target is not sure of.

In: a function that asks a provider, a request, and its policy. Out: the answer, the model that gave it, and what is
said of the cascade in the capture and in the header `x-stillhouse-cascade`. The target has a part of the time; where it
fails, or nobody can say how sure it is, it is not sure. Where the dearer model and the fallback fail, the target's
unsure answer stands in for theirs: it is better than none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from aliases.alias import Cascade
from completions.completion import tokens_in
from foundation.consumer import logger
from foundation.errors import ApiError
from gateway.fallback import Ask, ask_with_fallback, fallback_header
from gateway.head import with_sound_head
from gateway.policy import Policy
from providers import Answer, ProviderRefused

# The target has this part of the time to answer, and is retried for this many seconds.
_FIRST_SHARE = 0.4
_RETRY_S = 2.0
_HEADER = "x-stillhouse-cascade"


class Api(NamedTuple):
    """How an API is asked for log-probabilities, how sure its answers are, and how they look without."""

    asking: Callable[[dict[str, Any]], dict[str, Any]]
    confidence: Callable[[Any], float | None]
    without: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]
    """The answer as it is to this request, where only the cascade has asked for them."""
    usage: Callable[[dict[str, Any]], Any]
    """The answer's usage under the names of a chat completion."""


class Answered(NamedTuple):
    """An answer, who gave it, and the policy with what is captured of the cascade."""

    model: str
    answer: Answer
    policy: Policy
    headers: dict[str, str]
    """What the answer's headers say of the fallback and the cascade."""


class _First(NamedTuple):
    """The target's answer, how sure it is, and how many milliseconds it took; no answer where it failed."""

    answer: Answer | None
    confidence: float | None
    ms: int


async def ask_any(ask: Ask[Answer], request: dict[str, Any], policy: Policy, seconds: float, api: Api) -> Answered:
    """The answer of the model, the cascade or the fallback. Raises the failure of the model that was to answer."""
    cascade = policy.cascade
    if cascade is None:
        model, answer = await ask_with_fallback(ask, request, policy.fallback_model, seconds)
        return Answered(model, answer, policy, fallback_header(model, request["model"]))
    ends = time.monotonic() + seconds
    first = await _ask_first(ask, request, seconds, api)
    if first.answer and first.confidence is not None and first.confidence >= cascade.threshold:
        return _kept(request["model"], first, first.answer, policy, cascade)
    sent_on = {**request, "model": cascade.to}
    try:
        model, answer = await ask_with_fallback(ask, sent_on, policy.fallback_model, ends - time.monotonic())
    except (ProviderRefused, ApiError) as refusal:
        if first.answer is None:
            raise
        logger().warning("the unsure answer is given", extra={"model": cascade.to, "status": refusal.status})
        return _kept(request["model"], first, first.answer, policy, cascade)
    answer = answer._replace(latency_ms=answer.latency_ms + first.ms)
    said = _said(cascade, first, kept=False)
    if first.answer:
        said["first_asked"] = _first_asked(request["model"], first.answer, api)
    headers = {**fallback_header(model, cascade.to), _HEADER: _words(first, "sent on")}
    return Answered(model, answer, _told(policy, said), headers)


async def _ask_first(ask: Ask[Answer], request: dict[str, Any], seconds: float, api: Api) -> _First:
    began = time.monotonic()
    try:
        answer = await ask(api.asking(request), deadline_s=seconds * _FIRST_SHARE, retry_s=_RETRY_S)
    except (ProviderRefused, ApiError) as refusal:
        logger().warning("a cascade's target fails", extra={"model": request["model"], "status": refusal.status})
        return _First(None, None, round(1000 * (time.monotonic() - began)))
    plain = api.without(answer.body, request)
    return _First(answer._replace(body=plain), api.confidence(answer.body), answer.latency_ms)


def _kept(model: str, first: _First, answer: Answer, policy: Policy, cascade: Cascade) -> Answered:
    return Answered(model, answer, _told(policy, _said(cascade, first, kept=True)), {_HEADER: _words(first, "kept")})


def _said(cascade: Cascade, first: _First, *, kept: bool) -> dict[str, Any]:
    return {**cascade.model_dump(), "confidence": first.confidence, "kept": kept, "first_asked": None}


def _first_asked(asked: str, answer: Answer, api: Api) -> dict[str, Any]:
    model = with_sound_head(answer.body, time="created").get("model") or asked
    prompt, cached, completion = tokens_in(api.usage(answer.body))
    return {
        "model": model,
        "prompt_tokens": prompt,
        "cached_tokens": cached,
        "completion_tokens": completion,
        "latency_ms": answer.latency_ms,
    }


def _told(policy: Policy, said: dict[str, Any]) -> Policy:
    return policy._replace(alias={**(policy.alias or {}), "cascade": said})


def _words(first: _First, what: str) -> str:
    return f"{what}; confidence={'unknown' if first.confidence is None else repr(first.confidence)}"
