"""Chat messages as plain text and as a key.

In: the `messages` of a request or of a training row. Out: their text, or the hash of their canonical form:
the same whether a text came as a string or as text parts, and whatever keys OpenAI's objects add to it.
"""

import hashlib
from typing import Any

import orjson

_SPOKEN_KEYS = ("role", "name", "tool_calls", "tool_call_id")


def content_text(content: Any) -> str:
    """Join the text of a content, which is a string, a list of parts, or absent."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        return "\n".join(text for text in texts if isinstance(text, str))
    return ""


def render(messages: list[dict[str, Any]]) -> str:
    """Write a conversation as one text, each message under its role."""
    return "\n".join(f"{message.get('role')}\n{content_text(message.get('content'))}" for message in messages)


def last_user_text(messages: list[dict[str, Any]]) -> str:
    for message in reversed(messages):
        if message.get("role") == "user":
            return content_text(message.get("content"))
    return content_text(messages[-1].get("content"))


def digest(messages: list[dict[str, Any]]) -> str:
    canonical = [_canonical(message) for message in messages]
    return hashlib.sha256(orjson.dumps(canonical, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _canonical(message: dict[str, Any]) -> dict[str, Any]:
    kept = {key: message[key] for key in _SPOKEN_KEYS if message.get(key) is not None}
    content = message.get("content")
    if _is_plain_text(content):
        kept["content"] = content_text(content)
    elif content is not None:
        kept["content"] = content
    return kept


def _is_plain_text(content: Any) -> bool:
    if isinstance(content, list):
        return all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in content)
    return isinstance(content, str)
