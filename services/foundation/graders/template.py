"""The template language of graders and inputs: `{{ item.path[0].field }}` and `{{ sample.path }}`.

Text in, text out. What is not a string is rendered as compact JSON; a rendered value is never rendered again, so
that graded text cannot reach into a template. A missing path raises `InvalidVariable`.
Source: OpenAI's guide to graders.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson

from foundation.graders.grade import InvalidVariable

_PLACE = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


def render(template: str, namespaces: dict[str, Any], around: Callable[[str], str] = str) -> str:
    """Fill every place of a template with what `around` makes of its value."""
    return _PLACE.sub(lambda place: around(_text(look_up(place.group(1), namespaces))), template)


def render_messages(
    messages: list[dict[str, Any]], namespaces: dict[str, Any], around: Callable[[str], str] = str
) -> list[dict[str, Any]]:
    """Fill a list of messages, whose content is text or parts of text, images and audio in OpenAI's spelling.

    `around` is applied to values in texts, not to addresses of images and not to audio.
    """
    return [
        {"role": message["role"], "content": _content(message["content"], namespaces, around)} for message in messages
    ]


def places(messages: list[dict[str, Any]]) -> list[str]:
    """The paths that stand in the messages."""
    found: list[str] = []
    texts: list[Any] = [message["content"] for message in messages]
    while texts:
        text = texts.pop()
        if isinstance(text, str):
            found += _PLACE.findall(text)
        elif isinstance(text, list | dict):
            texts += text.values() if isinstance(text, dict) else text
    return found


def look_up(path: str, namespaces: dict[str, Any]) -> Any:
    """The value at a path. Raises InvalidVariable naming the first step that is missing."""
    value: Any = namespaces
    for step in steps_of(path):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError) as error:
            shown = f"[{step}]" if isinstance(step, int) else f".{step}"
            raise InvalidVariable(f"'{{{{ {path} }}}}' has no value: '{shown}' is missing") from error
    return value


def steps_of(path: str) -> list[str | int]:
    """The names and positions of a path. Raises InvalidVariable where it is none."""
    steps = list(_STEP.finditer(path))
    if not steps or "".join(step.group(0) for step in steps) != path:
        raise InvalidVariable(f"'{{{{ {path} }}}}' is not a path such as item.field or sample.output_text")
    return [step.group(1) if step.group(2) is None else int(step.group(2)) for step in steps]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _content(content: Any, namespaces: dict[str, Any], around: Callable[[str], str]) -> str | list[dict[str, Any]]:
    """Text as one text; with an image or audio among it, the parts of a chat message."""
    parts = [_part(part, namespaces, around) for part in (content if isinstance(content, list) else [content])]
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def _part(part: Any, namespaces: dict[str, Any], around: Callable[[str], str]) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": render(part, namespaces, around)}
    if part.get("type") == "input_image":
        image = {"url": render(part["image_url"], namespaces), "detail": part.get("detail", "auto")}
        return {"type": "image_url", "image_url": image}
    if part.get("type") == "input_audio":
        audio = {**part["input_audio"], "data": render(part["input_audio"]["data"], namespaces)}
        return {"type": "input_audio", "input_audio": audio}
    return {"type": "text", "text": render(part.get("text", ""), namespaces, around)}
