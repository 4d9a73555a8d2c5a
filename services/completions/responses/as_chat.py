"""A call of the Responses API as a chat completion that says the same.

In: the request and the response as they were sent, and the items of the responses before it. Out: a request and a
response in the shape of chat completions, with everything that was sent kept beside them under `original`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter
from pydantic_core import PydanticCustomError

from completions.completion import LONGEST_ID, SECONDS_END, TOKENS_END, Metadata
from completions.messages import every_call_is_answered
from completions.responses.items import Item, Message, Turns, answering
from completions.responses.tools import OwnTool, Tool, ToolChoice, chosen
from foundation.bounds import in_bytes
from foundation.errors import ApiError

type _Count = Annotated[int, Field(strict=True, ge=0, lt=TOKENS_END)]
type _Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID), in_bytes(LONGEST_ID)]
type _Input = Annotated[
    Annotated[str, Tag("whole")] | Annotated[list[Item], Tag("items")] | Annotated[None, Tag("none")],
    Discriminator(lambda value: "none" if value is None else "items" if isinstance(value, list) else "whole"),
]

_SAME = (
    "parallel_tool_calls",
    "prompt_cache_key",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "temperature",
    "top_p",
    "user",
)
_SHOWN_KINDS = 8
UNANSWERED_CALL = "tool call without its output"
READ_ITEMS: TypeAdapter[list[Item]] = TypeAdapter(list[Item])


def _not_kept(value: object) -> object:
    if value is not None:
        raise PydanticCustomError(
            "elsewhere", "its text is kept at the provider; send the items themselves in input, or previous_response_id"
        )
    return value


type _Elsewhere = Annotated[Any, AfterValidator(_not_kept)]


class _Format(BaseModel):
    model_config = ConfigDict(extra="allow")

    type: str
    name: _Id | None = None
    strict: bool | None = None


class _TextOptions(BaseModel):
    format: _Format | None = None
    verbosity: str | None = None


class _Effort(BaseModel):
    effort: str | None = None


class Request(BaseModel):
    """The fields of a request that a chat completion has too. All others are kept in `original` only."""

    model_config = ConfigDict(extra="allow")

    model: _Id
    input: _Input = None
    instructions: str | None = None
    previous_response_id: _Id | None = None
    conversation: _Elsewhere = None
    prompt: _Elsewhere = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    text: _TextOptions | None = None
    reasoning: _Effort | None = None
    max_output_tokens: _Count | None = None
    metadata: Metadata | None = None

    @property
    def items(self) -> list[Item]:
        """The new items; a text is the message of a user."""
        return [Message(role="user", content=self.input)] if isinstance(self.input, str) else self.input or []


class _InputDetails(BaseModel):
    cached_tokens: _Count | None = None


class _OutputDetails(BaseModel):
    reasoning_tokens: _Count | None = None


class _Usage(BaseModel):
    input_tokens: _Count
    output_tokens: _Count
    total_tokens: _Count | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


class _Incomplete(BaseModel):
    reason: str | None = None


class Response(BaseModel):
    """What is mapped of an ended response."""

    id: _Id | None = None
    created_at: Annotated[float, Field(ge=0, lt=SECONDS_END)] | None = None
    model: _Id | None = None
    status: Literal["completed", "incomplete", "failed", "cancelled"] | None = None
    error: dict[str, Any] | None = None
    incomplete_details: _Incomplete | None = None
    output: list[Item] = Field(default_factory=list)
    usage: _Usage | None = None
    service_tier: str | None = None


def call_as_chat(
    call: dict[str, Any], before: Sequence[Any], request: Request, response: Response | None
) -> dict[str, Any]:
    """The fields of a Completion that say what a call says; without its `response` where the provider gave none.

    `call` has the `request` and the `response` as they were sent, of which `request` and `response` are what was read.
    `before` has the items of the responses before it.
    """
    items = [*before, *input_items(call["request"])]
    asked, unsaid = chat_request(request, READ_ITEMS.validate_python(before))
    chat: dict[str, Any] = {
        "request": asked,
        "original": {"request": call["request"], "response": call["response"], "input_items": items},
    }
    if response is not None:
        chat["response"], unsaid_answer = chat_response(response)
        unsaid |= unsaid_answer
    kinds = sorted(unsaid)[:_SHOWN_KINDS]
    return {**chat, "untrainable": f"No chat completion can say: {', '.join(kinds)}." if kinds else None}


def input_items(request: dict[str, Any]) -> list[Any]:
    """The new items of a validated request, as the Responses API lists them."""
    given = request.get("input")
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": given}]}]
    return given or []


def chat_request(
    request: Request, before: Sequence[Item], *, field: str = "request.input"
) -> tuple[dict[str, Any], set[str]]:
    """The request of a chat completion with the items `before` and the new ones, and the kinds that it cannot say.

    Raises ApiError naming the `field` if there is no message among the items.
    """
    turns = Turns([*before, *request.items])
    instructions = [{"role": "system", "content": request.instructions}] if request.instructions else []
    extra = request.model_extra or {}
    asked = {
        "model": request.model,
        "messages": [*instructions, *turns.messages],
        **{name: extra[name] for name in _SAME if extra.get(name) is not None},
        "metadata": request.metadata,
        "max_completion_tokens": request.max_output_tokens,
        "reasoning_effort": request.reasoning.effort if request.reasoning else None,
        "tools": [tool.chat() for tool in request.tools or [] if isinstance(tool, OwnTool)] or None,
        "tool_choice": chosen(request.tool_choice),
        "response_format": _response_format(request.text.format) if request.text else None,
        "verbosity": request.text.verbosity if request.text else None,
    }
    if not asked["messages"]:
        raise ApiError(f"Invalid '{field}': no message is in it.", code="invalid_value", param=field)
    if not every_call_is_answered(asked["messages"]):
        turns.unsaid.add(UNANSWERED_CALL)
    return {name: value for name, value in asked.items() if value is not None}, turns.unsaid


def _response_format(form: _Format | None) -> dict[str, Any] | None:
    if form is None or form.type != "json_schema":
        return None if form is None else {"type": form.type}
    return {"type": "json_schema", "json_schema": form.model_dump(exclude={"type"}, exclude_none=True)}


def chat_response(response: Response) -> tuple[dict[str, Any], set[str]]:
    """The response of a chat completion, and the kinds of items that it cannot say. A failed one has no choices.

    Of several messages the final one is the answer; what was said on the way stands in the original only.
    """
    turns = Turns(answering(response.output))
    answered: dict[str, Any] = {
        "id": response.id,
        "created": None if response.created_at is None else int(response.created_at),
        "model": response.model,
        "choices": [],
        "usage": _usage(response.usage),
        "service_tier": response.service_tier,
    }
    if response.error or response.status in {"failed", "cancelled"}:
        error = response.error or {"code": response.status, "message": f"The response is {response.status}."}
        answered["error"] = error
    else:
        messages = [message for message in turns.messages if message["role"] == "assistant"]
        if len(turns.messages) > 1:
            turns.unsaid.add("several turns in one output")
        message = messages[-1] if messages else {"role": "assistant", "content": None}
        answered["choices"] = [
            {
                "index": 0,
                "message": {"refusal": None, **message},
                "finish_reason": _finish_reason(response, message),
                "logprobs": None,
            }
        ]
    return {name: value for name, value in answered.items() if value is not None}, turns.unsaid


def _finish_reason(response: Response, message: dict[str, Any]) -> str:
    if response.status == "incomplete":
        reason = response.incomplete_details.reason if response.incomplete_details else None
        return "content_filter" if reason == "content_filter" else "length"
    return "tool_calls" if message.get("tool_calls") else "stop"


def _usage(usage: _Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    counted: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens if usage.total_tokens is None else usage.total_tokens,
    }
    if usage.input_tokens_details:
        counted["prompt_tokens_details"] = usage.input_tokens_details.model_dump(exclude_none=True)
    if usage.output_tokens_details:
        counted["completion_tokens_details"] = usage.output_tokens_details.model_dump(exclude_none=True)
    return counted
