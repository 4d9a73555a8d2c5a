"""The sandbox: runs a grader's source on one row, in a function of its own that may do nothing else.

In: `{source, sample, item}`. Out: its answer, `{"score"}` or `{"error": {"code", "message"}, "output"?}`. While the
function is busy or out of reach this raises ProviderAway, where too little time is left OverLimit. A row on which
the function itself ends, again and again, is answered with an error: it must not hold its run for ever.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from foundation import aws
from foundation.pauses import pauses
from foundation.settings import settings
from providers import Answer, OverLimit, ProviderAway

# A chunk of rows whose source never ends is done in few deliveries, also where a worker has but half a minute.
WALL_S = 20.0
_AROUND_S = 3.0
_AT_ONCE = 10
_ATTEMPTS = 3
_LARGEST = 6_000_000  # of a call's payload; Lambda ends at 6 MB
_LEAST_PAUSE_S, _MOST_PAUSE_S = 0.2, 5.0
_BUSY = 503


async def grade(request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
    """Waits for one of few places, off the event loop; a busy function is asked again for `retry_s`."""
    payload = orjson.dumps({**request, "limits": {"wall_s": WALL_S}})
    if len(payload) > _LARGEST:
        return Answer(_error("row_too_large", f"Source and row have {len(payload)} bytes, at most {_LARGEST}."), 0)
    ends = time.monotonic() + deadline_s - WALL_S - _AROUND_S
    return await asyncio.get_running_loop().run_in_executor(_places(), _ask, payload, ends, retry_s or deadline_s)


@cache
def _places() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="sandbox")


def _ask(payload: bytes, ends: float, retry_s: float) -> Answer:
    """`ends` is when it is too late to begin; a row on which the function ended is not left to the next worker."""
    if time.monotonic() > ends:
        raise OverLimit("sandbox")
    why: list[str] = []
    while len(why) < _ATTEMPTS and (not why or time.monotonic() < ends):
        asked = time.monotonic()
        answer, failed = _answered(payload, min(ends, asked + retry_s))
        if not failed:
            return Answer(answer, round((time.monotonic() - asked) * 1000))
        why.append(f"{answer.get('errorType', 'no type')}: {answer.get('errorMessage', 'no message')}")
    message = f"The sandbox ended on this row, each of {len(why)} times; at last with {why[-1]}"
    return Answer(_error("python_grader_server_error", message), 0)


def _answered(payload: bytes, until: float) -> tuple[dict[str, Any], bool]:
    """The function's answer, or the error that ended it, and whether it is the latter."""
    waits = pauses(_LEAST_PAUSE_S, _MOST_PAUSE_S)
    while True:
        try:
            response = aws.functions().invoke(FunctionName=settings().SANDBOX_FUNCTION, Payload=payload)
            return orjson.loads(response["Payload"].read()), "FunctionError" in response
        except ReadTimeoutError:
            return {"errorType": "Timeout", "errorMessage": "the function did not answer"}, True
        except (BotoCoreError, ClientError) as error:
            if not (isinstance(error, BotoCoreError) or aws.is_busy(error)):
                raise
            pause = next(waits)
            if time.monotonic() + pause > until:
                raise _away(error) from error
            time.sleep(pause)


def _away(error: Exception) -> ProviderAway:
    message = f"The sandbox of the python grader is busy or out of reach: {type(error).__name__}."
    return ProviderAway(_BUSY, orjson.dumps({"error": {"message": message}}), {})


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
