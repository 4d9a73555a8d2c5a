"""The output items of a response that say what the message of a chat completion says.

In: the message, and the log probabilities of its text. Out: the items in OpenAI's order: reasoning, message, calls.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from foundation.ids import new_id
from gateway.responses.said import SaidCall, SaidCitation, SaidFunction, SaidLogprobs, SaidMessage

_CITATION = "url_citation"


def output_items(message: SaidMessage, logprobs: SaidLogprobs | None, *, status: str) -> list[dict[str, Any]]:
    """The items of an output; `status` is that of the message, completed or incomplete."""
    calls = [item for call in message.tool_calls or () if (item := _call(call))]
    if message.function_call:
        calls.append(_function_call(message.function_call, None))
    items = [_reasoning(message.thoughts)] if message.thoughts else []
    parts = _parts(message, logprobs)
    if parts or not calls:
        content = parts or [_text_part("")]
        items.append(
            {"type": "message", "id": new_id("msg_"), "role": "assistant", "status": status, "content": content}
        )
    return items + calls


def _reasoning(thoughts: str) -> dict[str, Any]:
    content = [{"type": "reasoning_text", "text": thoughts}]
    return {"type": "reasoning", "id": new_id("rs_"), "summary": [], "content": content}


def _parts(message: SaidMessage, logprobs: SaidLogprobs | None) -> list[dict[str, Any]]:
    parts = []
    if message.text:
        citations = [citation for said in message.annotations or () if (citation := _citation(said))]
        tokens = (logprobs.content if logprobs else None) or []
        parts.append(_text_part(message.text, citations, [token.model_dump() for token in tokens]))
    if message.refusal:
        parts.append({"type": "refusal", "refusal": message.refusal})
    return parts


def _text_part(text: str, annotations: list[Any] | None = None, logprobs: list[Any] | None = None) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": annotations or [], "logprobs": logprobs or []}


def _citation(annotation: dict[str, Any]) -> dict[str, Any] | None:
    """The citation of a web page, the one annotation that chats and responses have in common; None for any other."""
    inner = annotation.get(_CITATION, annotation)
    if annotation.get("type") != _CITATION:
        return None
    try:
        return {"type": _CITATION, **SaidCitation.model_validate(inner).model_dump()}
    except ValidationError:
        return None


def _call(call: SaidCall) -> dict[str, Any] | None:
    """The item of a call; None if it names no tool."""
    if call.custom:
        return {
            "type": "custom_tool_call",
            "id": new_id("ctc_"),
            "call_id": call.id or new_id("call_"),
            "name": call.custom.name,
            "input": call.custom.input,
        }
    return _function_call(call.function, call.id) if call.function else None


def _function_call(function: SaidFunction, call_id: str | None) -> dict[str, Any]:
    return {
        "type": "function_call",
        "id": new_id("fc_"),
        "call_id": call_id or new_id("call_"),
        "name": function.name,
        "arguments": function.arguments,
        "status": "completed",
    }
