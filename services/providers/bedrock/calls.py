"""Calls of Bedrock's runtime beside each other, each within its time, and its errors as those of every provider.

In: a call of boto3's client. Out: its answer. boto3 waits in the thread that calls it, so each call has a thread. One
that takes longer than its time is given up, and ends as ProviderAway; AWS cannot be told, and may still answer it.
Refusals raise ProviderRefused and what may pass ProviderAway, with a body in OpenAI's shape.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from providers.patience import wanted_pause
from providers.provider import ProviderAway, ProviderRefused

_AT_ONCE = 64
_GATEWAY_TIMEOUT = 504
_BAD_GATEWAY = 502
_UNAVAILABLE = 503
_BAD_REQUEST = 400
_FIRST_SERVER_ERROR = 500
_AWAY = frozenset({408, 429, 530})
_MODEL_ERROR = "ModelErrorException"
# The code that OpenAI's clients know, by AWS's own.
_CODES = {
    "AccessDeniedException": "access_denied",
    "ModelNotReadyException": "model_not_ready",
    "ModelTimeoutException": "timeout",
    "ResourceNotFoundException": "model_not_found",
    "ServiceQuotaExceededException": "quota_exceeded",
    "ThrottlingException": "rate_limit_exceeded",
    "ValidationException": "invalid_request",
}


async def within(seconds: float, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The answer of a call, if it comes within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.get_running_loop().run_in_executor(_threads(), call)
    except TimeoutError as error:
        raise _away(_GATEWAY_TIMEOUT, "Bedrock did not answer in time.", "timeout") from error
    except ClientError as error:
        raise _refusal(error) from error
    except ParamValidationError as error:
        raise ProviderRefused(_BAD_REQUEST, _body(str(error), "invalid_request"), {}) from error
    except BotoCoreError as error:
        raise _away(_UNAVAILABLE, f"Bedrock could not be asked: {error}", "bedrock_unreachable") from error


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="bedrock")


def _refusal(error: ClientError) -> ProviderRefused:
    """AWS's error as ours. An error of the model that it says it could not answer is final; others of it may pass."""
    response: Mapping[str, Any] = error.response
    told, metadata = response.get("Error", {}), response.get("ResponseMetadata", {})
    name = str(told.get("Code", ""))
    message = str(told.get("Message") or name)
    status = int(metadata.get("HTTPStatusCode") or _FIRST_SERVER_ERROR)
    code = _CODES.get(name, name)
    if name == _MODEL_ERROR and int(response.get("originalStatusCode") or 0) >= _FIRST_SERVER_ERROR:
        return _away(_BAD_GATEWAY, message, "model_error")
    if name == _MODEL_ERROR:
        return ProviderRefused(status, _body(message, "model_error"), {})
    if status in _AWAY or status >= _FIRST_SERVER_ERROR:
        return _away(status, message, code, metadata.get("HTTPHeaders") or {})
    return ProviderRefused(status, _body(message, code), {})


def _away(status: int, message: str, code: str, headers: Mapping[str, str] | None = None) -> ProviderAway:
    pause = wanted_pause(headers or {})
    passed_on = {"retry-after": (headers or {})["retry-after"]} if "retry-after" in (headers or {}) else {}
    return ProviderAway(status, _body(message, code), passed_on, pause)


def _body(message: str, code: str) -> bytes:
    return orjson.dumps({"error": {"message": message, "type": "provider_error", "param": None, "code": code}})
