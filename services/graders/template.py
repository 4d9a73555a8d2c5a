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

from graders.grade import InvalidVariable, NotGradable

_PLACE = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_SHOWN = 64
# Parts of messages in the spellings of chat completions and of the Responses API, and the text that each needs.
_NEEDS: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "input_text": ("text",),
    "output_text": ("text",),
    "input_image": ("image_url",),
    "image_url": ("image_url", "url"),
    "input_audio": ("input_audio", "data"),
}


def render(template: str, namespaces: dict[str, Any], around: Callable[[str], str] = str) -> str:
    """Fill every place of a template with what `around` makes of its value."""
    return _PLACE.sub(lambda place: around(_text(look_up(place.group(1), namespaces))), template)


def render_messages(
    messages: list[dict[str, Any]], namespaces: dict[str, Any], around: Callable[[str], str] = str
) -> list[dict[str, Any]]:
    """Fill a list of messages, whose content is text or parts of text, images and audio in OpenAI's spellings.

    `around` is applied to values in texts, not to addresses of images and not to audio. Raises NotGradable where
    content is anything else.
    """
    return [
        {"role": message["role"], "content": _content(message["content"], namespaces, around)} for message in messages
    ]


def checked_content(content: Any) -> Any:
    """The content of a message as it is. Raises ValueError where `render_messages` could not fill it."""
    for part in _parts(content):
        wrong = _wrong_with(part)
        if wrong:
            raise ValueError(wrong)
    return content


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
    parts = [_part(part, namespaces, around) for part in _parts(content)]
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def _parts(content: Any) -> list[Any]:
    return content if isinstance(content, list) else [content]


def _part(part: Any, namespaces: dict[str, Any], around: Callable[[str], str]) -> dict[str, Any]:
    wrong = _wrong_with(part)
    if wrong:
        raise NotGradable(wrong)
    if isinstance(part, str):
        return {"type": "text", "text": render(part, namespaces, around)}
    match part["type"]:
        case "input_image":
            image = {"url": render(part["image_url"], namespaces), "detail": part.get("detail", "auto")}
            return {"type": "image_url", "image_url": image}
        case "image_url":
            image = {**part["image_url"], "url": render(part["image_url"]["url"], namespaces)}
            return {"type": "image_url", "image_url": image}
        case "input_audio":
            audio = {**part["input_audio"], "data": render(part["input_audio"]["data"], namespaces)}
            return {"type": "input_audio", "input_audio": audio}
        case _:
            return {"type": "text", "text": render(part["text"], namespaces, around)}


def _wrong_with(part: Any) -> str | None:
    """What keeps a part from being filled, if anything does."""
    if isinstance(part, str):
        return None
    if not isinstance(part, dict):
        return "the content of a message is text, or parts of it such as {'type': 'input_text', 'text': '…'}"
    kind = part.get("type")
    if not isinstance(kind, str):
        return "a part of a message has no type"
    if kind not in _NEEDS:
        return f"a part of a message has the type '{kind[:_SHOWN]}', which is none of {', '.join(_NEEDS)}"
    value: Any = part
    for name in _NEEDS[kind]:
        value = value.get(name) if isinstance(value, dict) else None
    return None if isinstance(value, str) else f"a part of type '{kind}' needs the text {'.'.join(_NEEDS[kind])}"
