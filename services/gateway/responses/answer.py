"""A chat completion as the response that says the same.

In: what a provider answered to a chat completion, and the request for a response that it answers. Out: the response:
reasoning, text, refusal and calls as items, the finish reason as its status. Raises ProviderRefused (502) where the
answer is no chat completion.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from completions.completion import SECONDS_END
from foundation.ids import new_id, now
from gateway.responses.items import output_items
from gateway.responses.said import SaidLogprobs, SaidMessage
from providers import ProviderRefused
from providers.usage import cached_tokens, reasoning_tokens, tokens

_BAD_GATEWAY = 502
_FINAL = {"x-should-retry": "false"}
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
# Fields of the request that stand in the response, with what OpenAI's has where the request has none.
_ECHOED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": None,
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}


def _readable(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


type _Aside[Kind] = Annotated[Kind | None, WrapValidator(_readable)]
"""What a provider says beside the message: what cannot be read is left out, and does not lose the message."""


type _Tier = Literal["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]
"""The tiers that clients know in a response. Other providers have others."""


class _Choice(BaseModel):
    message: SaidMessage | None = None
    finish_reason: _Aside[str] = None
    logprobs: _Aside[SaidLogprobs] = None


class _Chat(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    created: _Aside[Annotated[float, Field(ge=0, lt=SECONDS_END)]] = None
    model: _Aside[str] = None
    service_tier: _Aside[_Tier] = None
    usage: _Aside[dict[str, Any]] = None


def response_of(answered: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """The response that says what the first choice of a chat completion says."""
    if answered.get("error") and not answered.get("choices"):
        # Some servers answer an error with status 200.
        raise ProviderRefused(_BAD_GATEWAY, orjson.dumps(answered), _FINAL)
    try:
        chat = _Chat.model_validate(answered)
    except ValidationError as error:
        raise _no_chat(error) from error
    choice = chat.choices[0]
    reason = _INCOMPLETE.get(choice.finish_reason or "")
    status = "incomplete" if reason else "completed"
    echoed = {name: default if request.get(name) is None else request[name] for name, default in _ECHOED.items()}
    reasoning = request.get("reasoning") or {}
    return {
        **echoed,
        "id": new_id("resp_"),
        "object": "response",
        "created_at": int(chat.created or now()),
        "completed_at": None if reason else now(),
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "model": chat.model or request["model"],
        "output": output_items(choice.message or SaidMessage(), choice.logprobs, status=status),
        "reasoning": {"effort": reasoning.get("effort"), "summary": None},
        "service_tier": chat.service_tier or "default",
        "usage": _usage(chat.usage) if chat.usage else None,
    }


def _usage(usage: dict[str, Any]) -> dict[str, Any]:
    read, written, total = (tokens(usage.get(f"{name}_tokens")) for name in ("prompt", "completion", "total"))
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": cached_tokens(usage), "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": reasoning_tokens(usage)},
        "total_tokens": total or read + written,
    }


def _no_chat(error: ValidationError) -> ProviderRefused:
    where = ".".join(str(step) for step in error.errors(include_url=False, include_input=False)[0]["loc"])
    message = f"The provider's answer is no chat completion: '{where[:200]}' is missing or wrong."
    body = {"error": {"message": message, "type": "server_error", "param": None, "code": "invalid_provider_answer"}}
    return ProviderRefused(_BAD_GATEWAY, orjson.dumps(body), _FINAL)
