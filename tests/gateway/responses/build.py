"""Chat completions and responses as providers answer them, and responses as the SDK knows them."""

from __future__ import annotations

from typing import Any

from openai.types.responses import Response

from gateway.responses.answer import response_of

CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
CUSTOM = {"id": "call_2", "type": "custom", "custom": {"name": "shell", "input": "ls"}}
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": False}
LOGPROB = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}
CITED = {
    "type": "url_citation",
    "url_citation": {"url": "https://a.test", "title": "A", "start_index": 0, "end_index": 1},
}
USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 5,
    "total_tokens": 14,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}


def chat(message: dict[str, Any], finish_reason: str = "stop", **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", **message}}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 7, "model": "big-2026"}
    return {**head, "choices": [choice | fields.pop("choice", {})], "usage": USAGE, **fields}


def responded(message: dict[str, Any], finish_reason: str = "stop", **fields: Any) -> dict[str, Any]:
    """The response that a chat completion becomes; the SDK's type takes it as it is."""
    request = fields.pop("request", {})
    response = response_of(chat(message, finish_reason, **fields), {"model": "big", **request})
    Response.model_validate(response, strict=True)
    return response


ANSWERS: dict[str, dict[str, Any]] = {
    "text": {"message": {"content": "billing"}},
    "nothing": {"message": {"content": None}},
    "refusal": {"message": {"content": None, "refusal": "No."}},
    "text and refusal": {"message": {"content": "Well.", "refusal": "No."}},
    "calls": {
        "message": {"content": None, "tool_calls": [CALL, {**CALL, "id": "call_3"}]},
        "finish_reason": "tool_calls",
    },
    "text and a call": {"message": {"content": "Wait.", "tool_calls": [CALL]}, "finish_reason": "tool_calls"},
    "custom call": {"message": {"content": None, "tool_calls": [CUSTOM]}, "finish_reason": "tool_calls"},
    "legacy call": {"message": {"content": None, "function_call": CALL["function"]}, "finish_reason": "function_call"},
    "call without id": {"message": {"tool_calls": [{"id": None, "function": {"name": "f", "arguments": {"a": 1}}}]}},
    "reasoning": {"message": {"content": "42", "reasoning_content": "6 times 7"}},
    "reasoning elsewhere": {"message": {"content": "42", "reasoning": "6 times 7"}},
    "reasoning as a part": {
        "message": {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "6 times 7"}]},
                {"type": "text", "text": "42"},
            ]
        }
    },
    "cut off": {"message": {"content": "bill"}, "finish_reason": "length"},
    "filtered": {"message": {"content": ""}, "finish_reason": "content_filter"},
    "log probabilities": {"message": {"content": "a"}, "choice": {"logprobs": {"content": [LOGPROB]}}},
    "annotations": {"message": {"content": "a", "annotations": [CITED]}},
    "without usage": {"message": {"content": "a"}, "usage": None},
    "odd breaks": {"message": {"content": "a\u2028b\n\ndata: [DONE]\r\n"}},
}
"""Odd but legal chat completions, as arguments of `responded`."""
