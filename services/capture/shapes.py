"""Every shape that a pushed record may have: of a chat or of the Responses API, answered or failed.

In: the JSON object of one record. Out: the fields of a Completion, in the shape of a chat. Raises ApiError naming the
field. What most records look like is taken by `records` without a look in here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from capture.records import ALIAS, LATENCY_END, LONGEST_ALIAS, LONGEST_ORIGIN, VERSIONS_END, is_failure, is_response
from completions.completion import LONGEST_ID, LONGEST_REASON, SECONDS_END, TOKENS_END, Metadata
from completions.responses.as_chat import Request, Response, call_as_chat
from completions.responses.items import Item
from foundation.bounds import Text, in_bytes
from foundation.errors import ApiError
from foundation.field_errors import field_error


def _whole(time: Any) -> Any:
    return int(time) if isinstance(time, float) and math.isfinite(time) else time


type _Seconds = Annotated[int, BeforeValidator(_whole), Field(ge=0, lt=SECONDS_END)]
"""A time. Some servers give it with a fraction, which is cut off."""
type _Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID), in_bytes(LONGEST_ID)]
type _Reason = Annotated[str, Field(max_length=LONGEST_REASON), in_bytes(LONGEST_REASON)]
type _Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
type _Tokens = Annotated[int, Field(strict=True, ge=0, lt=TOKENS_END)]


class _OriginalResponse(BaseModel):
    output: list[Item] | None = None


class _Original(BaseModel):
    """The call of the Responses API that an exported record was once pushed as."""

    model_config = ConfigDict(extra="forbid")

    request: dict[str, Any]
    response: _OriginalResponse
    input_items: list[Item]


_LONGEST_SOURCE = 32
_AS_PUSHED = ("original", "alias")


class _FirstAsked(BaseModel):
    """The call of a cascade's target whose answer was not kept. It is stored as it was pushed: no text is a number."""

    model_config = ConfigDict(extra="forbid")

    model: _Id
    prompt_tokens: _Tokens | None = None
    cached_tokens: _Tokens | None = None
    completion_tokens: _Tokens | None = None
    latency_ms: Annotated[int, Field(strict=True, ge=0, lt=LATENCY_END)] | None = None


class _PushedCascade(BaseModel):
    """What came of a target's cascade, which is stored as it was pushed, too."""

    model_config = ConfigDict(extra="forbid")

    to: _Id
    by: str = Field(max_length=_LONGEST_SOURCE)
    threshold: _Number
    confidence: _Number | None = None
    kept: bool = Field(strict=True)
    first_asked: _FirstAsked | None = None


class _PushedAlias(BaseModel):
    """The alias that a call was made by, and the target that was chosen."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=LONGEST_ALIAS, pattern=ALIAS)
    version: int = Field(strict=True, ge=1, lt=VERSIONS_END)
    target: _Id
    cascade: _PushedCascade | None = None


class PushedCall[Asked, Answered](BaseModel):
    """A pushed record: one call with its request and response. Unknown fields are refused: one may be misspelt."""

    model_config = ConfigDict(extra="forbid")

    request: Asked
    response: Answered
    metadata: Metadata | None = None
    reference: Any = None
    created: _Seconds | None = None
    latency_ms: int | None = Field(default=None, ge=0, lt=LATENCY_END)
    provider: str | None = None
    origin: str | None = Field(default=None, max_length=LONGEST_ORIGIN)
    original: _Original | None = None
    untrainable: Text | None = None
    alias: _PushedAlias | None = None


class _Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]


class _ChatRequest(BaseModel):
    model: _Id
    messages: list[_Message] = Field(min_length=1)
    metadata: Metadata | None = None


class _Answer(BaseModel):
    """The message of an answer. Some providers leave out its role, which can only be the assistant's."""

    role: Literal["", "system", "developer", "user", "assistant", "tool", "function"] | None = None


class _Choice(BaseModel):
    message: _Answer
    finish_reason: _Reason | None = None


class _CachedTokens(BaseModel):
    cached_tokens: _Tokens | None = None


class _Usage(BaseModel):
    """The counts that are read of a usage; providers add others."""

    prompt_tokens: _Tokens | None = None
    completion_tokens: _Tokens | None = None
    total_tokens: _Tokens | None = None
    prompt_tokens_details: _CachedTokens | None = None


class _ChatResponse(BaseModel):
    id: _Id | None = None
    created: _Seconds | None = None
    model: _Id | None = None
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class _Failure(BaseModel):
    """What a provider answers to a call that failed."""

    id: _Id | None = None
    error: dict[str, Any] = Field(min_length=1)


_ANSWERED_CHAT = PushedCall[_ChatRequest, _ChatResponse]
_FAILED_CHAT = PushedCall[_ChatRequest, _Failure]


def as_chat(record: dict[str, Any], before: Sequence[Any] | None) -> dict[str, Any]:
    """The record with request and response in the shape of a chat.

    `before` has the items before those of a response, where it names the response before it.
    """
    try:
        return _as_chat(record, before)
    except ValidationError as error:
        raise field_error(error, record, _ANSWERED_CHAT) from error


def _as_chat(record: dict[str, Any], before: Sequence[Any] | None) -> dict[str, Any]:
    failed = isinstance(record.get("response"), dict) and is_failure(record["response"])
    if is_response(record):
        return _response_as_chat(record, before, failed=failed)
    if failed:
        read: Any = _FAILED_CHAT.model_validate(record)
        response = {**read.response.model_dump(exclude_unset=True), "choices": []}
        return {**_beside(read, record), "request": record["request"], "response": response}
    read = _ANSWERED_CHAT.model_validate(record)
    response = record["response"]
    if type(response.get("created")) not in (int, type(None)):
        # A time may be written as text or as a fraction.
        response = {**response, "created": read.response.created}
    return {**_beside(read, record), "request": record["request"], "response": response}


def _beside(read: PushedCall[Any, Any], record: dict[str, Any]) -> dict[str, Any]:
    beside = {name: getattr(read, name) for name in read.model_fields_set - {"request", "response"}}
    return beside | {name: record[name] for name in _AS_PUSHED if beside.get(name)}


def _response_as_chat(record: dict[str, Any], before: Sequence[Any] | None, *, failed: bool) -> dict[str, Any]:
    shape = PushedCall[Request, _Failure] if failed else PushedCall[Request, Response]
    read: Any = shape.model_validate(record)
    previous = read.request.previous_response_id
    if previous and before is None:
        raise ApiError(
            f"The response '{previous}' before this one is not captured. Push it first or together with this one, "
            "or push this one with all its items in input and without previous_response_id.",
            code="previous_response_not_found",
            param="request.previous_response_id",
        )
    chat = call_as_chat(record, before or (), read.request, None if failed else read.response)
    if failed:
        chat["response"] = {**read.response.model_dump(exclude_unset=True), "choices": []}
    return {**_beside(read, record), **chat}
