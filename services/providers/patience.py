"""Ask a provider again while it is away, and keep its pace: what all kinds of providers have in common.

In: a function that makes one attempt within so many seconds. Out: the answer of the first attempt that has one, with
the milliseconds that it took. Raises ProviderRefused at once, and ProviderAway when the deadline leaves no further
attempt. With a pace, each attempt waits for its turn.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from foundation.pauses import pauses
from providers.pace import Pace
from providers.provider import Answer, OverLimit, ProviderAway

_LEAST_PAUSE_S = 0.1
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_LEAST_S = 0.1
_LONGEST_WAIT_S = 900.0

type Attempt[Got] = Callable[[float], Awaitable[Got]]
"""Asks once, within so many seconds."""


async def ask_patiently(
    attempt: Attempt[dict[str, Any]], pace: Pace | None, *, deadline_s: float, retry_s: float | None
) -> Answer:
    """Ask until there is an answer, until the deadline, or within the first `retry_s` seconds."""

    async def timed(seconds: float) -> Answer:
        asked = time.monotonic()
        answer = await attempt(seconds)
        return Answer(answer, round((time.monotonic() - asked) * 1000))

    return await patiently(timed, pace, deadline_s=deadline_s, retry_s=retry_s)


async def patiently[Got](attempt: Attempt[Got], pace: Pace | None, *, deadline_s: float, retry_s: float | None) -> Got:
    """The same for what is no whole answer, such as the beginning of a stream. A pace is kept until that is there."""
    started = time.monotonic()
    patient_until = started + min(deadline_s, retry_s or deadline_s)
    waits = pauses(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
    while True:
        try:
            return await _in_turn(attempt, pace, started + deadline_s)
        except OverLimit:
            raise
        except ProviderAway as away:
            pause = next(waits) if away.retry_after is None else max(away.retry_after, _LEAST_PAUSE_S)
            if away.final or time.monotonic() + pause >= patient_until:
                raise
        await asyncio.sleep(pause)


async def _in_turn[Got](attempt: Attempt[Got], pace: Pace | None, ends: float) -> Got:
    if pace is None:
        return await attempt(_left(ends))
    async with pace.turn(time.time() + ends - time.monotonic()):
        try:
            return await attempt(_left(ends))
        except ProviderAway as away:
            if away.retry_after:
                pace.wait(away.retry_after)
            raise


def _left(ends: float) -> float:
    return max(_LEAST_S, ends - time.monotonic())


def wanted_pause(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a retry-after header, None without a valid one.

    They are at most 900: all workers wait, and an absurd value must not stop them.
    """
    try:
        if "retry-after-ms" in headers:
            seconds = float(headers["retry-after-ms"]) / 1000
        else:
            seconds = float(headers.get("retry-after", "nan"))
    except ValueError:
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT_S) if math.isfinite(seconds) else None
