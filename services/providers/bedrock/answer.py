"""What Bedrock's Converse answers, as a chat completion in OpenAI's shape.

In: boto3's answer, the model's name and whether JSON without a schema was asked for. Out: the completion. What the
model thought comes as `reasoning_content`, and with its signatures as `reasoning_details`, which a later turn may send
back. Where the model's output was malformed, the choice says so in `malformed`, and counts as failed in evals.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from foundation.ids import now

_FINISHED = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "stop",
    "malformed_tool_use": "stop",
}
_MALFORMED = frozenset({"malformed_model_output", "malformed_tool_use"})
_FENCED = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)


def completion_of(answer: dict[str, Any], model: str, *, unfenced: bool = False) -> dict[str, Any]:
    """The chat completion. With `unfenced`, JSON that the model has put into a fence of Markdown is taken out of it."""
    reason = str(answer.get("stopReason") or "")
    message = _message(_blocks(answer), unfenced=unfenced)
    choice: dict[str, Any] = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": _FINISHED.get(reason, "stop"),
    }
    if reason in _MALFORMED:
        choice["malformed"] = reason
    tier = (answer.get("serviceTier") or {}).get("type")
    return {
        "id": f"chatcmpl-{(answer.get('ResponseMetadata') or {}).get('RequestId') or 'bedrock'}",
        "object": "chat.completion",
        "created": now(),
        "model": model,
        "choices": [choice],
        "usage": usage_of(answer.get("usage") or {}),
        **({"service_tier": tier} if tier else {}),
    }


def _blocks(answer: dict[str, Any]) -> list[dict[str, Any]]:
    message = (answer.get("output") or {}).get("message") or {}
    return [block for block in message.get("content") or () if isinstance(block, dict)]


def _message(blocks: list[dict[str, Any]], *, unfenced: bool) -> dict[str, Any]:
    text = "".join(_texts(blocks))
    calls = [_call(block["toolUse"]) for block in blocks if "toolUse" in block]
    thoughts = [block["reasoningContent"].get("reasoningText") for block in blocks if "reasoningContent" in block]
    details = [{"type": "reasoning.text", **thought} for thought in thoughts if thought]
    content = _without_fence(text) if unfenced else text
    message: dict[str, Any] = {"role": "assistant", "content": content or (None if calls else ""), "refusal": None}
    if calls:
        message["tool_calls"] = calls
    if details:
        message["reasoning_content"] = "".join(detail.get("text", "") for detail in details)
        message["reasoning_details"] = details
    return message


def _texts(blocks: list[dict[str, Any]]) -> Iterator[str]:
    for block in blocks:
        if "text" in block:
            yield block["text"]
        elif "citationsContent" in block:
            yield from (part["text"] for part in block["citationsContent"].get("content") or () if "text" in part)


def _call(use: dict[str, Any]) -> dict[str, Any]:
    # The standard library's, since orjson refuses numbers beyond 64 bits.
    arguments = json.dumps(use.get("input") or {}, ensure_ascii=False, separators=(",", ":"))
    return {"id": use["toolUseId"], "type": "function", "function": {"name": use["name"], "arguments": arguments}}


def _without_fence(text: str) -> str:
    fenced = _FENCED.fullmatch(text)
    if fenced is None:
        return text
    try:
        inside = orjson.loads(fenced[1])
    except orjson.JSONDecodeError:
        return text
    return fenced[1].strip() if isinstance(inside, dict) else text


def usage_of(usage: dict[str, Any]) -> dict[str, Any]:
    """The tokens. Bedrock counts those that it reads from and writes to its cache beside the input, OpenAI within."""
    read, written = usage.get("cacheReadInputTokens") or 0, usage.get("cacheWriteInputTokens") or 0
    prompt = (usage.get("inputTokens") or 0) + read + written
    completion = usage.get("outputTokens") or 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": max(usage.get("totalTokens") or 0, prompt + completion),
        "prompt_tokens_details": {"cached_tokens": read},
    }
