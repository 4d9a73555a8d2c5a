"""Ask a model, and the fallback model where the first one is away.

In: a function that asks a provider, a request, and the name of the fallback model, if there is one. Out: the name of
the model that answered, and its answer. If both fail, the first one's failure is raised.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import Any, Protocol
from urllib.parse import quote

from foundation.consumer import logger
from foundation.errors import ApiError
from providers import ProviderAway, ProviderRefused
from providers.routing import ModelRetired, ProviderGone

MARGIN_S = 2.0
"""The part of a call's time, in seconds, in which the provider is not waited for."""
_BUSY = 429
_FIRST_SERVER_ERROR = 500
# With a fallback, the first model has this part of the time to answer, and is retried for this many seconds.
_FIRST_SHARE = 0.6
_RETRY_S = 2.0


class Ask[Got](Protocol):
    """Asks a provider within `deadline_s` seconds, and again within the first `retry_s` while it is away."""

    def __call__(
        self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None
    ) -> Awaitable[Got]: ...


async def ask_with_fallback[Got](
    ask: Ask[Got], request: dict[str, Any], fallback: str | None, seconds: float
) -> tuple[str, Got]:
    """The name of the model that answered, and its answer, or the stream that has begun.

    If both fail, raises the first one's failure.
    """
    first = request["model"]
    if fallback in {None, first}:
        return first, await ask(request, deadline_s=seconds)
    ends = time.monotonic() + seconds
    try:
        return first, await ask(request, deadline_s=seconds * _FIRST_SHARE, retry_s=_RETRY_S)
    except ProviderRefused as away:
        if not _is_away(away):
            raise
        logger().warning("the fallback model is asked", extra={"model": first, "status": away.status})
        try:
            answer = await ask({**request, "model": fallback}, deadline_s=ends - time.monotonic())
        except (ProviderRefused, ApiError) as refusal:
            logger().warning("the fallback model fails too", extra={"model": fallback, "status": refusal.status})
            raise away from refusal
        return str(fallback), answer


def _is_away(refusal: ProviderRefused) -> bool:
    """Whether another model may answer: the provider is busy, broken or silent, or the model is there no more."""
    if isinstance(refusal, ModelRetired | ProviderGone):
        return True
    is_busy = refusal.status == _BUSY or refusal.status >= _FIRST_SERVER_ERROR
    return isinstance(refusal, ProviderAway) and is_busy


def fallback_header(model: str, asked: str) -> dict[str, str]:
    """The header that names the model that answered, where it is not the one that was asked.

    An alias's fallback may be called anything; what no header can hold is percent-encoded.
    """
    named = model if model.isascii() and model.isprintable() else quote(model)
    return {} if model == asked else {"x-stillhouse-fallback": named}
