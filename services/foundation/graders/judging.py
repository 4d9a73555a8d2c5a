"""Asking a judge: messages with places, an answer by schema, and a second and third chance for an answer out of shape.

The judge is told what was wrong and asked again. That makes each attempt a request of its own, paid for once and
found again when the chunk is redelivered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field

from foundation.graders.grade import Models, NotGradable

ATTEMPTS = 3


def _complete(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if any("role" not in message or "content" not in message for message in messages):
        raise ValueError("each message of input needs role and content")
    return messages


type JudgeMessages = Annotated[list[dict[str, Any]], Field(min_length=1), AfterValidator(_complete)]


class Judgement[Finding](NamedTuple):
    """What the judge found, in its own words too."""

    finding: Finding
    shown: dict[str, Any]


async def ask[Finding](
    models: Models, request: dict[str, Any], schema: dict[str, Any], read: Callable[[str], Finding]
) -> Judgement[Finding]:
    """Ask until `read` takes the answer. Raises what `read` raised, NotGradable, about the last one."""
    held_to = {"name": "judgement", "strict": True, "schema": schema}
    request = {**request, "response_format": {"type": "json_schema", "json_schema": held_to}}
    for attempt in range(1, ATTEMPTS):
        response = await models.complete(request)
        try:
            return _judgement(request, response, attempt, read)
        except NotGradable as malformed:
            request = {**request, "messages": [*request["messages"], *_once_more(_text(response), malformed)]}
    return _judgement(request, await models.complete(request), ATTEMPTS, read)


def strict_object(properties: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema that wants exactly these properties, as structured output demands."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _judgement[Finding](
    request: dict[str, Any], response: dict[str, Any], attempt: int, read: Callable[[str], Finding]
) -> Judgement[Finding]:
    text = _text(response)
    shown = {"model": request["model"], "output": text, "attempts": attempt, "usage": response.get("usage") or {}}
    return Judgement(read(text), shown)


def _text(response: dict[str, Any]) -> str:
    """The answer; nothing where the judge refused or the response holds no message."""
    choices = response.get("choices") or [{}]
    return (choices[0].get("message") or {}).get("content") or ""


def _once_more(text: str, malformed: NotGradable) -> list[dict[str, str]]:
    said = [{"role": "assistant", "content": text}] if text else []
    wanted = f"That answer cannot be used: {malformed}. Answer again, only with JSON of the given schema."
    return [*said, {"role": "user", "content": wanted}]
