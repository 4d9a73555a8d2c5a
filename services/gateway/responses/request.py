"""What a request for a response asks of its provider: as it came, or as a chat completion.

In: the caller's request, and the items of the responses before it. Out: the request for a provider that has the
Responses API, or the chat completion that asks for the same. What a chat cannot say raises ApiError, naming the field.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from completions.completion import LONGEST_ID
from completions.responses.as_chat import READ_ITEMS, UNANSWERED_CALL, Request, chat_request, input_items
from completions.responses.items import Item, Turns
from completions.responses.tools import OwnTool, chosen
from foundation.errors import ApiError
from foundation.field_errors import field_error

_OURS = frozenset({"store", "metadata", "stream", "stream_options", "previous_response_id"})
# What a chat has no word for, with the values that ask for nothing.
_UNSAYABLE: dict[str, tuple[Any, ...]] = {
    "background_options": (None,),
    "context_management": (None, []),
    "conversation": (None,),
    "image": (None,),
    "prompt": (None,),
    "truncation": (None, "disabled"),
}
_UNSAYABLE_OF_REASONING: dict[str, tuple[Any, ...]] = {
    "context": (None, "auto"),
    "generate_summary": (None, "auto"),
    "mode": (None, "standard"),
    "summary": (None, "auto"),
}
# What asks for details of hosted tools and encrypted reasoning, of which a chat has none.
_WITHOUT_EFFECT = frozenset({"background", "include", "max_tool_calls"})
LOGPROBS = "message.output_text.logprobs"
_KEPT_ELSEWHERE = ("conversation", "prompt")


def check(request: dict[str, Any], *, store: bool) -> None:
    """Refuse what no provider is asked. `store` is whether the response is to be captured."""
    model = request.get("model")
    if not isinstance(model, str) or not 0 < len(model.encode()) <= LONGEST_ID:
        raise ApiError(
            f"Invalid 'model': the name of a model is expected, at most {LONGEST_ID} bytes.",
            code="missing_required_parameter" if model is None else "invalid_value",
            param="model",
        )
    given = request.get("input")
    if not isinstance(given, str | list | None):
        raise ApiError("Invalid 'input': a text or a list of items is expected.", code="invalid_type", param="input")
    for position, item in enumerate(given if isinstance(given, list) else ()):
        if not isinstance(item, dict):
            field = f"input[{position}]"
            raise ApiError(f"Invalid '{field}': an object is expected.", code="invalid_type", param=field)
    if not isinstance(request.get("stream"), bool | None):
        raise ApiError("Invalid 'stream': true or false is expected.", code="invalid_type", param="stream")
    if request.get("background"):
        raise _unsupported("background", "the gateway answers when the response is complete, and keeps no job")
    for field in _KEPT_ELSEWHERE if store else ():
        if request.get(field) is not None:
            raise _unsupported(
                field, "its text is kept at the provider and cannot be captured. With store=false it is passed on"
            )


def upstream(request: dict[str, Any], before: list[Any]) -> dict[str, Any]:
    """The request for a provider that has the Responses API.

    The provider stores nothing: the responses before this one are captured here, and their items are sent along.
    """
    asked = {name: value for name, value in request.items() if name not in _OURS}
    if before:
        asked["input"] = [*_resendable(before), *input_items(request)]
    return {**asked, "store": False}


def _resendable(items: list[Any]) -> list[Any]:
    """Items as input. A provider that stores nothing does not know their ids, nor reasoning without its own cipher."""
    return [
        {name: value for name, value in item.items() if name != "id" or item.get("type") == "reasoning"}
        for item in items
        if item.get("type") != "reasoning" or item.get("encrypted_content")
    ]


def as_chat(request: dict[str, Any], before: list[Any]) -> dict[str, Any]:
    """The chat completion that asks for the same. Raises ApiError naming the field that a chat has no word for."""
    asked = {name: value for name, value in request.items() if name not in _OURS}
    try:
        read = Request.model_validate(asked)
        items_before = READ_ITEMS.validate_python(before)
        _refuse_unsayable(asked, read, items_before)
        chat, unsaid = chat_request(read, items_before, field="input")
    except ValidationError as error:
        raise field_error(error, asked) from error
    if UNANSWERED_CALL in unsaid:
        raise _unsupported("input", "the outputs of all calls of a turn must follow it, and no others")
    chat["messages"] = [_under_a_known_role(message) for message in chat["messages"]]
    return {**_beside(asked), **chat, **_logprobs(asked)}


def _under_a_known_role(message: dict[str, Any]) -> dict[str, Any]:
    """`developer` as `system`: it means the same, and servers without the Responses API seldom know it."""
    return {**message, "role": "system"} if message["role"] == "developer" else message


def _beside(asked: dict[str, Any]) -> dict[str, Any]:
    """The fields that are neither of the Responses API nor without effect: a chat may have them, too."""
    known = {*Request.model_fields, *_UNSAYABLE, *_WITHOUT_EFFECT, "top_logprobs"}
    return {name: value for name, value in asked.items() if name not in known}


def _logprobs(asked: dict[str, Any]) -> dict[str, Any]:
    wanted = asked.get("top_logprobs")
    include = asked.get("include")
    if wanted is None:
        return {"logprobs": True} if isinstance(include, list) and LOGPROBS in include else {}
    return {"logprobs": True, "top_logprobs": wanted}


def _refuse_unsayable(asked: dict[str, Any], read: Request, before: list[Item]) -> None:
    reasoning = asked.get("reasoning") or {}
    for prefix, fields, unsayable in (("", asked, _UNSAYABLE), ("reasoning.", reasoning, _UNSAYABLE_OF_REASONING)):
        for name, nothing in unsayable.items():
            if fields.get(name) not in nothing:
                raise _unsupported(prefix + name, "a chat completion has no word for it")
    for position, tool in enumerate(read.tools or ()):
        if not isinstance(tool, OwnTool):
            raise _unsupported(f"tools[{position}]", f"a chat completion has no hosted tool '{tool.type}'")
    if read.tool_choice is not None and chosen(read.tool_choice) is None:
        raise _unsupported("tool_choice", "a chat completion has no hosted tools to choose")
    places = {f"input[{position}]": [item] for position, item in enumerate(read.items)}
    for field, items in {**places, "previous_response_id": before}.items():
        unsaid = sorted(Turns(items).unsaid)
        if unsaid:
            raise _unsupported(field, f"a chat completion cannot say: {', '.join(unsaid)}")


def _unsupported(field: str, why: str) -> ApiError:
    return ApiError(f"Unsupported '{field}': {why}.", code="unsupported_parameter", param=field)
