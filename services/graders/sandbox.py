"""Ask the sandbox to run a grader's source on one row. The sandbox is a function of its own without other rights.

In: `{source, sample, item}`. Out: its answer, `{"score"}` or `{"error": {"code", "message"}, "output"?}`. Raises
ProviderAway while the function is busy or cannot be reached, and OverLimit if too little time is left. If the function
itself ends on a row again and again, the answer is an error, so that the row does not hold up its run for ever.
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

# In seconds. So short that a chunk whose source never ends takes few deliveries, even of a worker with half a minute.
WALL_S = 20.0
_AROUND_S = 3.0
_AT_ONCE = 10
_ATTEMPTS = 3
_LARGEST = 6_000_000  # of a call's payload; Lambda ends at 6 MB
_LEAST_PAUSE_S, _MOST_PAUSE_S = 0.2, 5.0
_BUSY = 503


async def grade(request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
    """Run one source in one of a few threads; while the function is busy, repeat for `retry_s` seconds."""
    payload = orjson.dumps({**request, "limits": {"wall_s": WALL_S}})
    if len(payload) > _LARGEST:
        return Answer(_error("row_too_large", f"Source and row have {len(payload)} bytes, at most {_LARGEST}."), 0)
    ends = time.monotonic() + deadline_s - WALL_S - _AROUND_S
    return await asyncio.get_running_loop().run_in_executor(_places(), _ask, payload, ends, retry_s or deadline_s)


@cache
def _places() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="sandbox")


def _ask(payload: bytes, ends: float, retry_s: float) -> Answer:
    """The sandbox's answer. `ends` is the moment after which no call is begun.

    A row on which the function itself ended is tried again by this worker only, and then answered with an error.
    """
    if time.monotonic() > ends:
        raise OverLimit("sandbox")
    failures: list[str] = []
    while len(failures) < _ATTEMPTS and (not failures or time.monotonic() < ends):
        asked = time.monotonic()
        answer, failed = _answered(payload, min(ends, asked + retry_s))
        if not failed:
            return Answer(answer, round((time.monotonic() - asked) * 1000))
        failures.append(f"{answer.get('errorType', 'no type')}: {answer.get('errorMessage', 'no message')}")
    message = f"The sandbox ended on this row, each of {len(failures)} times; at last with {failures[-1]}"
    return Answer(_error("python_grader_server_error", message), 0)


def _answered(payload: bytes, until: float) -> tuple[dict[str, Any], bool]:
    """The function's answer or the error that ended it, and whether it was such an error."""
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
