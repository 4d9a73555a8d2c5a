"""Examples and pairs in OpenAI's shape, from which tests of formats start."""

from __future__ import annotations

from typing import Any

SYSTEM = {"role": "system", "content": "Sort this mail."}
USER = {"role": "user", "content": "Where is my parcel?"}
ANSWER = {"role": "assistant", "content": "delivery"}
WORSE = {"role": "assistant", "content": "billing"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "sort", "arguments": '{"by": "date"}'}}
CALLS = {"role": "assistant", "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "done"}
TOOLS = [{"type": "function", "function": {"name": "sort"}}]
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def example(*messages: dict[str, Any], **extra: Any) -> dict[str, Any]:
    """A supervised example."""
    return {"messages": list(messages or (SYSTEM, USER, ANSWER)), **extra}


def pair(*messages: dict[str, Any], better: Any = ANSWER, worse: Any = WORSE, **tools: Any) -> dict[str, Any]:
    """A pair of answers to a question."""
    asked = {"messages": list(messages or (SYSTEM, USER)), **tools}
    return {"input": asked, "preferred_output": [better], "non_preferred_output": [worse]}
