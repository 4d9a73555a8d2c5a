"""The output items of a response that say what the message of a chat completion says.

In: the message, and the log probabilities of its text. Out: the items in OpenAI's order: reasoning, message, calls.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from completions.messages import calls_of, reasoning_of, refusal_of, text_of
from foundation.ids import new_id
from gateway.responses.said import SaidCitation, SaidLogprobs, SaidMessage

_CITATION = "url_citation"


def output_items(answer: SaidMessage, logprobs: SaidLogprobs | None, *, status: str) -> list[dict[str, Any]]:
    """The items of an output; `status` is that of the message, completed or incomplete."""
    message = answer.model_dump(exclude_unset=True)
    calls = [item for call in calls_of(message) if (item := _call(call))]
    thoughts = reasoning_of(message)
    items = [_reasoning(thoughts)] if thoughts else []
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


def _parts(message: dict[str, Any], logprobs: SaidLogprobs | None) -> list[dict[str, Any]]:
    parts = []
    if text := text_of(message.get("content")):
        citations = [citation for noted in message.get("annotations") or () if (citation := _citation(noted))]
        tokens = (logprobs.content if logprobs else None) or []
        parts.append(_text_part(text, citations, [token.model_dump() for token in tokens]))
    if refusal := refusal_of(message):
        parts.append({"type": "refusal", "refusal": refusal})
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


def _call(call: dict[str, Any]) -> dict[str, Any] | None:
    """The item of a call; None if it names no tool."""
    call_id = call.get("id") or new_id("call_")
    match call:
        case {"type": "custom", "custom": dict(tool)}:
            return {"type": "custom_tool_call", "id": new_id("ctc_"), "call_id": call_id, **tool}
        case {"type": "function", "function": dict(tool)}:
            return {"type": "function_call", "id": new_id("fc_"), "call_id": call_id, **tool, "status": "completed"}
    return None
