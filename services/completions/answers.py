"""What providers leave out of an answer, as OpenAI says it.

In: a response. Out: the same with the role that every answer has.
"""

from __future__ import annotations

from typing import Any


def with_roles(response: dict[str, Any]) -> dict[str, Any]:
    """The response with a message and a role in each choice: only the assistant answers, and some do not say it."""
    choices = response.get("choices")
    if type(choices) is not list or not [1 for choice in choices if _lacks_role(choice)]:
        return response
    return {**response, "choices": [_with_role(choice) if _lacks_role(choice) else choice for choice in choices]}


def _lacks_role(choice: Any) -> bool:
    if type(choice) is not dict:
        return False
    message = choice.get("message")
    return message is None or (type(message) is dict and not message.get("role"))


def _with_role(choice: dict[str, Any]) -> dict[str, Any]:
    message = choice.get("message") or {"content": None}
    spoken = {name: value for name, value in message.items() if name != "role"}
    return {**choice, "message": {"role": "assistant", **spoken}}
