"""Captured calls of the Responses API, as OpenAI answers them."""

from __future__ import annotations

from typing import Any

from openai.types.responses import Response, ResponseUsage

USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 14,
}


def assistant(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}


def response(name: str, *output: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """As the SDK knows it: what these tests push is what OpenAI answers."""
    document = {
        "id": f"resp_{name}",
        "object": "response",
        "created_at": 1_790_000_000.0,
        "model": "gpt-5-2025-08-07",
        "status": "completed",
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": USAGE,
        **fields,
    }
    Response.model_validate(document, strict=True)
    ResponseUsage.model_validate(USAGE, strict=True)
    return document


def record(
    name: str, given: Any, *output: dict[str, Any], previous: str | None = None, **fields: Any
) -> dict[str, Any]:
    request = {"model": "gpt-5", "input": given, **fields}
    if previous:
        request["previous_response_id"] = f"resp_{previous}"
    return {"request": request, "response": response(name, *(output or [assistant(f"answer {name}")]))}


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}
