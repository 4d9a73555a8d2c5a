"""Forward one chat completion and capture it when asked to.

In: a chat completion's request and its policy. Out: the provider's answer as it came, as events where `stream` asks for
them; its refusals with their status, body and `retry-after`. A fallback model is asked where the first one is away, and
the header `x-stillhouse-fallback` names it then. A capture that fails is logged and counted, and never fails the
completion.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any
from urllib.parse import quote

import orjson
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from completions.completion import Completion
from completions.handover import hand_over
from foundation import loop
from foundation.consumer import logger
from foundation.errors import ApiError
from foundation.ids import new_id, now
from foundation.settings import settings
from gateway import stream
from gateway.forwarded import Forwarded, bounded, refused
from gateway.policy import Policy
from providers import Answer, Provider, ProviderAway, ProviderRefused, registry

_OURS = frozenset({"store", "metadata", "stream", "stream_options"})
_MARGIN_S = 2.0
_CAPTURE_S = 10.0
_BUSY = 429
_FIRST_SERVER_ERROR = 500
# With a fallback, the first model has this part of the time to answer, and is retried for this many seconds.
_FIRST_SHARE = 0.6
_RETRY_S = 2.0


def forward(
    request: dict[str, Any], policy: Policy, *, deadline_s: float, provider: Provider | None = None
) -> Forwarded:
    """Ask the provider within the deadline; capture the answer if the policy says so."""
    _check(request)
    ends = time.monotonic() + deadline_s
    upstream = {name: value for name, value in request.items() if name not in _OURS}
    asking = _asked(provider or registry.providers(), upstream, policy.fallback_model, deadline_s - _MARGIN_S)
    try:
        model, answer = loop.run(asking)
    except ProviderRefused as refusal:
        return refused(refusal)
    captured = policy.store and _capture({**request, "model": model}, policy.metadata, answer, ends=ends)
    body = {**answer.body, "metadata": policy.metadata} if policy.metadata else answer.body
    fallback = {} if model == request["model"] else {"x-stillhouse-fallback": model}
    return bounded(_answered(request, body, fallback), captured_at=_url_of(answer.body.get("id")) if captured else None)


def _url_of(completion_id: Any) -> str:
    return f"{settings().API_URL}/chat/completions/{quote(str(completion_id), safe='')}"


async def _asked(
    provider: Provider, upstream: dict[str, Any], fallback: str | None, seconds: float
) -> tuple[str, Answer]:
    """The name of the model that answered, and its answer. If both fail, raises the first one's failure."""
    first = upstream["model"]
    if fallback in {None, first}:
        return first, await provider.complete(upstream, deadline_s=seconds)
    ends = time.monotonic() + seconds
    try:
        return first, await provider.complete(upstream, deadline_s=seconds * _FIRST_SHARE, retry_s=_RETRY_S)
    except ProviderAway as away:
        if away.status != _BUSY and away.status < _FIRST_SERVER_ERROR:
            raise
        logger().warning("the fallback model is asked", extra={"model": first, "status": away.status})
        try:
            answer = await provider.complete({**upstream, "model": fallback}, deadline_s=ends - time.monotonic())
        except ProviderRefused as refusal:
            logger().warning("the fallback model fails too", extra={"model": fallback, "status": refusal.status})
            raise away from refusal
        return str(fallback), answer


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


def _capture(request: dict[str, Any], metadata: dict[str, str], answer: Answer, *, ends: float) -> bool:
    """Whether the completion is on its way to the recorder."""
    try:
        pushed = {
            "request": request,
            "response": answer.body,
            "metadata": metadata,
            "latency_ms": answer.latency_ms,
        }
        handed = _beside().submit(hand_over, new_id("capture_"), [Completion.of(pushed, at=now())])
        # A queue that hangs would hold the answer until the API has cut the call.
        handed.result(timeout=max(1.0, min(_CAPTURE_S, ends - time.monotonic())))
    except Exception:  # noqa: BLE001 - whatever breaks here, the caller has its completion
        logger().exception("capture failed")
        _count_failure()
        return False
    return True


@cache
def _beside() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="capture")


def _count_failure() -> None:
    """Write a metric to the log, which the stack's CaptureFailedAlarm watches."""
    namespace = settings().METRICS_NAMESPACE
    with single_metric(name="CaptureFailed", unit=MetricUnit.Count, value=1, namespace=namespace):
        pass
